package snapshot

import (
	"fmt"
	"net/netip"
	"slices"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/proto"
)

// served is what one Proxy document gives to proxies of one kind, filters aside: those whose slots are chains, or those
// whose slots are declared. The pointer stays the same as long as the document does.
type served struct {
	proxy     *Proxy
	chains    bool
	resources []*Resource // all but the route configurations of its own listeners
	sets      []*slotSet
	discovers []discovery // the slots that its listeners name
}

type servedKey struct {
	proxy  Key
	chains bool
}

// serve gives what a Proxy gives to proxies with or without chains, sharing what has not changed since the last Build.
func (b *builder) serve(p *Proxy, chains bool) *served {
	key := servedKey{p.Key, chains}
	if s := b.served[key]; s != nil {
		return s
	}
	before := b.last.served[key]
	if before != nil && before.proxy.Hash == p.Hash {
		b.served[key] = before
		return before
	}
	s := newServed(p, chains)
	if before != nil {
		share(s.resources, before.resources)
	}
	b.served[key] = s
	return s
}

func newServed(p *Proxy, chains bool) *served {
	s := &served{proxy: p, chains: chains}
	for i, l := range p.Spec.GetListeners() {
		set := slotSetOf(p, l, !chains)
		s.sets = append(s.sets, set)
		slots := make([]hcmSlot, len(set.names))
		for i, name := range set.names {
			slots[i] = hcmSlot{Name: name, Declared: !chains}
		}
		listener := listenerResource(p, l, slots)
		s.resources = append(s.resources, listener)
		s.discover(listener, fmt.Sprintf("spec.listeners[%d]", i))
	}
	s.resources = slices.Concat(s.resources, clusterResources(p), endpointResources(p), secretResources(p))
	for _, whole := range wholeResources(p.Spec) {
		resource := newResource(whole.name, whole.message)
		s.resources = append(s.resources, resource)
		s.discover(resource, whole.field)
	}
	s.sets = append(s.sets, s.foreignSets()...)
	return s
}

// discover notes the slots that a resource names, reading the very bytes that are sent.
func (s *served) discover(r *Resource, field string) {
	l := &listenerv3.Listener{}
	if r.Type == ListenerType && proto.Unmarshal(r.Body, l) == nil {
		s.discovers = append(s.discovers, discoveries(l, field)...)
	}
}

// foreignSets are the slots that connection managers in whole resources name.
func (s *served) foreignSets() []*slotSet {
	var sets []*slotSet
	for _, found := range s.discovers {
		if slices.ContainsFunc(s.sets, func(own *slotSet) bool { return slices.Contains(own.names, found.slot) }) {
			continue
		}
		for _, set := range namedSlots([]string{found.slot}, s.chains) {
			at := slices.IndexFunc(sets, func(other *slotSet) bool { return other.id() == set.id() && other.in == found.in })
			if at < 0 {
				set.in = found.in
				set.proxy, set.port, set.direction = s.proxy.Key, found.port, found.direction
				sets = append(sets, set)
			} else if !slices.Contains(sets[at].names, found.slot) {
				sets[at].names = append(sets[at].names, found.slot)
			}
		}
	}
	return sets
}

// share puts the resources of before in the place of equal ones, so that the pointer of what has not changed stays.
func share(resources, before []*Resource) {
	type name struct{ of, name string }
	old := make(map[name]*Resource, len(before))
	for _, r := range before {
		old[name{r.Type, r.Name}] = r
	}
	for i, r := range resources {
		if same := old[name{r.Type, r.Name}]; same != nil && same.Version == r.Version {
			resources[i] = same
		}
	}
}

func portOf(address string) uint32 {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return 0
	}
	return uint32(at.Port())
}
