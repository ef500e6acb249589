package snapshot

import "slices"

// closed gives the resources of a group if every slot that a listener names is served, and every slot that is served is
// named by a listener or asked for by a proxy. Anything else would be a fault of graft: then the group keeps what it had.
func (b *builder) closed(g *Group, r *Resources) *Resources {
	names := slices.Clone(g.Foreign)
	for _, found := range r.named {
		names = append(names, found.slot)
	}
	slices.Sort(names)
	if slices.Equal(slices.Compact(names), sortedKeys(r.Slots)) {
		return r
	}
	kept := &Resources{Types: map[string][]*Resource{}, Slots: map[string]*Content{}}
	if before := b.last.groups[g.Key]; before != nil {
		*kept = *before
	}
	kept.inputs = groupInputs{} // made of something else than the next Build sees
	kept.stale = nil
	for _, p := range kept.plans {
		p.each(func(part *part) {
			if part.form != nil {
				kept.stale = append(kept.stale, *part)
			}
		})
	}
	kept.remarks = append(slices.Clone(kept.remarks), remark{
		code: CodeInternal,
		what: "the slots that listeners name and those that are served differ", hint: "this is a fault of graft; please report it",
	})
	return kept
}
