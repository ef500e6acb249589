package snapshot

import (
	"fmt"
	"maps"
	"slices"
)

// problems tells all that Build found, each once, at the place where it is written now.
func (b *builder) problems() []Problem {
	var all []Problem
	for i, v := range b.verdicts {
		if v.problem != nil {
			at := b.in.Config.Filters[i].Origin("spec.wasm.module")
			all = append(all, Problem{Origin: at, Code: v.problem.Code, What: v.problem.What, Hint: v.problem.Hint})
		}
	}
	origins := b.origins()
	for said := range b.remarks() {
		if origin := origins[said.object]; origin != nil {
			all = append(all, Problem{Origin: origin(said.field), Code: said.code, What: said.what, Hint: said.hint})
		}
	}
	slices.SortFunc(all, compareWhole)
	return slices.Compact(all)
}

// remarks gives each remark of all groups once.
func (b *builder) remarks() map[remark]bool {
	all := map[remark]bool{}
	for _, group := range b.groups {
		for _, said := range group.remarks {
			all[said] = true
		}
		for _, p := range group.plans {
			for _, said := range p.remarks {
				all[said] = true
			}
		}
	}
	return all
}

// origins tells where each object is written now. What is nobody's fault but graft's is written nowhere.
func (b *builder) origins() map[Key]func(field string) Origin {
	origins := map[Key]func(string) Origin{{}: func(string) Origin { return Origin{} }}
	for _, filter := range b.in.Config.Filters {
		origins[filter.Key] = filter.Origin
	}
	for _, proxy := range b.in.Config.Proxies {
		origins[proxy.Key] = proxy.Origin
	}
	return origins
}

// statuses says what became of each filter.
func (b *builder) statuses() []FilterState {
	inForce, missing := b.carried()
	texts := map[Key][]string{}
	said := b.remarks()
	for _, group := range b.groups {
		for _, held := range group.held {
			said[held] = true
		}
	}
	for said := range said {
		texts[said.object] = append(texts[said.object], withHint(said.what, said.hint))
	}
	states := make([]FilterState, 0, len(b.verdicts))
	for _, v := range b.verdicts {
		key := v.newest.Key
		state := FilterState{Key: key, Hash: v.newest.Hash, Waiting: v.waiting, Problems: texts[key]}
		if v.problem != nil {
			state.Problems = append(state.Problems, withHint(v.problem.What, v.problem.Hint))
		}
		slices.Sort(state.Problems)
		form := inForce[key]
		if form == nil && !missing[key] {
			form = v.form // nobody is there to carry it
		}
		if form != nil {
			state.InForce, state.Module = form.filter.Hash, form.module
		}
		states = append(states, state)
	}
	return states
}

// carried gives the form of each filter that the contents carry, an older one rather than the newest where they differ;
// and the filters that some slot should carry and does not.
func (b *builder) carried() (inForce map[Key]*form, missing map[Key]bool) {
	inForce, missing = map[Key]*form{}, map[Key]bool{}
	note := func(parts []part) {
		for i := range parts {
			key, form := parts[i].key, parts[i].form
			if form == nil {
				continue
			}
			if v := b.byKey[key]; v != nil && v.worse(form, inForce[key]) {
				inForce[key] = form
			}
		}
	}
	contents, routes := map[*Content]bool{}, map[*perRoute]bool{}
	for _, group := range b.groups {
		for _, p := range group.plans {
			for _, key := range p.missing {
				missing[key] = true
			}
			for _, content := range p.contents {
				contents[content] = true
			}
			if p.perRoute != nil {
				routes[p.perRoute] = true
			}
		}
	}
	for content := range contents {
		note(content.parts)
	}
	for r := range routes {
		note(r.host)
		for _, parts := range r.named {
			note(parts)
		}
	}
	return inForce, missing
}

// worse tells whether a form rather than another one is to be told as the one in force: an older one rather than the newest; of two older forms any
// one will do, as long as it is always the same.
func (v *verdict) worse(f, other *form) bool {
	if other == nil {
		return true
	}
	older, otherOlder := f.filter.Hash != v.newest.Hash, other.filter.Hash != v.newest.Hash
	if older != otherOlder {
		return older
	}
	return f.identity < other.identity
}

func withHint(what, hint string) string {
	if hint == "" {
		return what
	}
	return what + "\n" + hint
}

// memory is what the next Build, perhaps in another process, must know. What a provisional plan holds is not: it would
// pass for what the slot carried before.
func (b *builder) memory() Memory {
	m := Memory{
		Documents: b.in.Config.Documents,
		Forms:     make(map[Key]Form, len(b.verdicts)),
		Slots:     map[string]SlotOrder{},
		Selection: b.in.Config.Selection,
	}
	for _, v := range b.verdicts {
		key := v.newest.Key
		if remembered, ok := b.remembered.Forms[key]; v.form == nil && ok {
			m.Forms[key] = remembered
		} else if v.form != nil {
			m.Forms[key] = Form{Filter: v.form.filter, Module: v.form.digest()}
		}
	}
	// Groups come and go with their proxies; their keys last as long as the selection does.
	if b.remembered.Selection == m.Selection {
		maps.Copy(m.Slots, b.remembered.Slots)
	}
	for _, g := range b.in.Groups {
		for _, p := range b.groups[g.Key].plans {
			key := orderKey(g.Key, p.set)
			if !p.provisional {
				m.Slots[key] = p.order
			} else if order, ok := b.remembered.Slots[key]; ok {
				m.Slots[key] = order
			}
		}
	}
	return m
}

func kindOf(typeURL string) string {
	switch typeURL {
	case ListenerType:
		return "listener"
	case RouteType:
		return "route configuration"
	case ClusterType:
		return "cluster"
	case EndpointType:
		return "endpoints"
	case SecretType:
		return "secret"
	default:
		return fmt.Sprintf("resource of type %s", typeURL)
	}
}
