package snapshot

import "google.golang.org/protobuf/types/known/anypb"

// Build decides what every group of proxies gets. It never fails as a whole: what cannot be built costs its author a
// Problem, and keeps the form it had in in.Last. Same input, same bytes; what has not changed since in.Last is shared with
// it, pointers included.
func Build(in Input) *Result {
	b := newBuilder(in)
	b.judgeAll()
	for i := range in.Groups {
		b.groups[in.Groups[i].Key] = b.group(&in.Groups[i])
	}
	return &Result{
		Groups:   b.groups,
		Problems: b.problems(),
		Memory:   b.memory(),
		Statuses: b.statuses(),
		memo:     b.remember(),
	}
}

// builder holds one Build while it runs.
type builder struct {
	in         Input
	last       memo       // what the last Build in this process made
	remembered Memory     // what the last Build, perhaps in another process, wanted to be known
	verdicts   []*verdict // of each filter of Config
	changes    changes
	groups     map[string]*Resources
	served     map[servedKey]*served
	contents   map[contentKey]*Content
	routes     map[routesKey]*Resource
	assigned   map[string]SlotOrder
	plans      map[setKey][]planned
}

// memo is what the next Build in the same process shares. It is immutable.
type memo struct {
	options  Options
	groups   map[string]*Resources
	verdicts []*verdict
	served   map[servedKey]*served
	contents map[contentKey]*Content
	routes   map[routesKey]*Resource
}

// contentKey tells contents apart by all that shows in them.
type contentKey struct{ slot, parts string }

// routesKey tells route configurations apart.
type routesKey struct {
	served    *served
	listener  string
	signature string
}

func newBuilder(in Input) *builder {
	b := &builder{
		in:       in,
		groups:   make(map[string]*Resources, len(in.Groups)),
		served:   map[servedKey]*served{},
		contents: map[contentKey]*Content{},
		routes:   map[routesKey]*Resource{},
		assigned: map[string]SlotOrder{},
		plans:    map[setKey][]planned{},
	}
	if in.Last == nil {
		return b
	}
	b.remembered = in.Last.Memory
	if memo := in.Last.memo; memo != nil {
		b.last = *memo
		if memo.options != in.Options { // another way to send everything
			b.last.contents, b.last.routes = nil, nil
		}
	}
	return b
}

func (b *builder) remember() *memo {
	return &memo{
		options: b.in.Options, groups: b.groups, verdicts: b.verdicts, served: b.served, contents: b.contents, routes: b.routes,
	}
}

// content gives the content of a slot; the same chain in many groups is one.
func (b *builder) content(slot string, chain bool, parts []part, provisional bool) *Content {
	key := contentKey{slot, identity(chain, parts, provisional)}
	if made := b.contents[key]; made != nil {
		return made
	}
	made := b.last.contents[key]
	if made == nil {
		made = newContent(slot, chain, parts, b.in.Options)
		made.Provisional, made.key = provisional, key
	}
	b.contents[key] = made
	return made
}

// routeConfiguration gives the route configuration of a listener with what differs from route to route in its slots.
func (b *builder) routeConfiguration(s *served, set *slotSet, r *perRoute) (routesKey, *Resource) {
	key := routesKey{s, set.listener, r.signature()}
	made := b.routes[key]
	if made == nil {
		made = b.last.routes[key]
	}
	if made == nil {
		ofRoute := func(route string) map[string]*anypb.Any { return r.ofRoute(route, b.in.Options) }
		made = routeResource(s.proxy, set.written, ofRoute, r.ofHost(b.in.Options))
		made.Uses = r.uses()
	}
	b.routes[key] = made
	return key, made
}
