package snapshot

import (
	"slices"
	"strings"
)

// groupInputs is what the resources of a group are made of. Where all of it is the same pointers, so are the resources.
type groupInputs struct {
	options Options
	served  []*served
	filters []*verdict
	whole   bool // what was made of them is all that they give
}

func (a *groupInputs) equal(b *groupInputs) bool {
	return a.around(b) && slices.Equal(a.filters, b.filters)
}

// around tells whether all but the filters is the same.
func (a *groupInputs) around(b *groupInputs) bool {
	return a.whole == b.whole && a.options == b.options && slices.Equal(a.served, b.served)
}

// selected is a filter with those of its targets that mean a group.
type selected struct {
	*verdict
	targets []Target
}

// group makes the resources of one group, or shares those of the last Build.
func (b *builder) group(g *Group) *Resources {
	inputs := groupInputs{options: b.in.Options, served: b.servedTo(g), whole: true}
	before := b.last.groups[g.Key]
	if before != nil && before.inputs.around(&inputs) && !b.changes.touch(g.Node) {
		b.keep(before)
		return before
	}
	filters := b.selectedBy(g, &inputs)
	if before != nil && before.inputs.equal(&inputs) {
		b.keep(before)
		return before
	}
	r := &Resources{
		Types: map[string][]*Resource{}, Slots: map[string]*Content{},
		inputs: inputs, plans: map[string]*plan{}, routes: map[routesKey]*Resource{},
	}
	for _, s := range inputs.served {
		b.serveAll(r, g, s, filters)
	}
	for _, set := range namedSlots(g.Foreign, g.Node.Traits.FilterChain) {
		b.fill(r, g, set, filters)
	}
	r.remarks = append(r.remarks, slotRemarks(r)...)
	r.remarks = append(r.remarks, routeRemarks(r, filters)...)
	if fetches(r) {
		r.Types[ClusterType] = append(r.Types[ClusterType], modulesCluster(b.in.Options))
	}
	for _, resources := range r.Types {
		slices.SortFunc(resources, func(x, y *Resource) int { return strings.Compare(x.Name, y.Name) })
	}
	return b.closed(g, r)
}

// targetsFor gives the targets that select a node; nil if there are none.
func (f *Filter) targetsFor(node Node) []Target {
	if len(f.Targets) == 1 { // as most filters are, and then there is nothing to copy
		if selectsNode(f.Targets[0].Nodes, node) {
			return f.Targets
		}
		return nil
	}
	var targets []Target
	for i := range f.Targets {
		if selectsNode(f.Targets[i].Nodes, node) {
			targets = append(targets, f.Targets[i])
		}
	}
	return targets
}

// serveAll puts all that a Proxy document gives into the resources. A listener that another document has claimed is left
// out with its slots and routes.
func (b *builder) serveAll(r *Resources, g *Group, s *served, filters []selected) {
	claimed := map[string]bool{}
	for _, resource := range s.resources {
		if !r.add(s, resource) && resource.Type == ListenerType {
			claimed[resource.Name] = true
		}
	}
	for _, set := range s.sets {
		if claimed[set.in] {
			continue
		}
		p := b.fill(r, g, set, filters)
		if set.written != nil {
			key, routes := b.routeConfiguration(s, set, p.perRoute)
			r.routes[key] = routes
			r.add(s, routes)
		}
	}
	for _, found := range s.discovers {
		if !claimed[found.in] {
			r.named = append(r.named, named{s.proxy.Key, found})
		}
	}
}

// servedTo finds the Proxy documents that select a group.
func (b *builder) servedTo(g *Group) []*served {
	var all []*served
	for _, proxy := range b.in.Config.Proxies {
		if selectsNode(proxy.Spec.GetNodes(), g.Node) {
			all = append(all, b.serve(proxy, g.Node.Traits.FilterChain))
		}
	}
	return all
}

// selectedBy finds the filters that select a group, with the targets that say so, and notes them in its inputs.
func (b *builder) selectedBy(g *Group, inputs *groupInputs) []selected {
	inputs.filters = make([]*verdict, 0, len(b.verdicts))
	filters := make([]selected, 0, len(b.verdicts))
	for i, filter := range b.in.Config.Filters {
		if targets := filter.targetsFor(g.Node); targets != nil {
			inputs.filters = append(inputs.filters, b.verdicts[i])
			filters = append(filters, selected{b.verdicts[i], targets})
		}
	}
	return filters
}

// fill plans a slot set and puts its contents into the resources. Of two connection managers that name the same slots, one
// plan serves both.
func (b *builder) fill(r *Resources, g *Group, set *slotSet, filters []selected) *plan {
	p := r.plans[set.id()]
	if p == nil {
		made := b.plan(g, set, filters)
		p = made.plan
		r.plans[set.id()] = p
		r.held = append(r.held, made.held...)
		r.stale = append(r.stale, made.stale...)
	}
	for _, name := range set.names {
		r.Slots[name] = p.contents[name]
	}
	return p
}

// add puts a resource into a group. Two Proxy documents whose selectors meet only on some nodes may claim the same name:
// the first by name has it, and add says false of the other.
func (r *Resources) add(s *served, resource *Resource) bool {
	of := r.Types[resource.Type]
	at := slices.IndexFunc(of, func(other *Resource) bool { return other.Name == resource.Name })
	if at < 0 {
		r.Types[resource.Type] = append(of, resource)
		return true
	}
	if of[at].Version == resource.Version {
		return true
	}
	r.remarks = append(r.remarks, remark{
		object: s.proxy.Key, code: CodeClash,
		what: kindOf(resource.Type) + " \"" + resource.Name + "\" is already defined by another Proxy document for some of the same Envoys",
		hint: "give it another name, or select other Envoys by nodes",
	})
	return false
}

// keep marks what shared resources use as still in use.
func (b *builder) keep(r *Resources) {
	for _, p := range r.plans {
		for _, content := range p.contents {
			b.contents[content.key] = content
		}
	}
	for key, routes := range r.routes {
		b.routes[key] = routes
	}
}

// fetches tells whether a remote rendering of anything here has proxies fetch modules.
func fetches(r *Resources) bool {
	for _, content := range r.Slots {
		if len(content.Fetches) > 0 {
			return true
		}
	}
	return false
}
