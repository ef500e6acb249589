package snapshot

import (
	"fmt"
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
	all = append(all, b.told(b.remarks())...)
	slices.SortFunc(all, compareWhole)
	return slices.Compact(all)
}

// told turns remarks into problems.
func (b *builder) told(remarks map[remark]bool) []Problem {
	if len(remarks) == 0 {
		return nil
	}
	origins := b.origins()
	var all []Problem
	for said := range remarks {
		if origin := origins[said.object]; origin != nil {
			all = append(all, Problem{Origin: origin(said.field), Code: said.code, What: said.what, Hint: said.hint})
		}
	}
	return all
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
	if b.idle() {
		return b.in.Last.Statuses
	}
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

// carried gives, of the filters that are not everywhere as their verdicts say, the form that the contents carry, an older
// one rather than the newest where they differ; and the filters that some slot should carry and does not.
func (b *builder) carried() (inForce map[Key]*form, missing map[Key]bool) {
	missing = map[Key]bool{}
	odd := map[Key]*verdict{}
	for _, group := range b.groups {
		for _, p := range group.plans {
			for _, key := range p.missing {
				missing[key], odd[key] = true, nil
			}
		}
		for i := range group.stale {
			odd[group.stale[i].key] = nil
		}
	}
	if len(odd) == 0 {
		return nil, nil
	}
	for _, v := range b.verdicts {
		if _, is := odd[v.newest.Key]; is {
			odd[v.newest.Key] = v
		}
	}
	return b.formsOf(odd), missing
}

// formsOf gives the form that the contents carry of some filters.
func (b *builder) formsOf(odd map[Key]*verdict) map[Key]*form {
	inForce := map[Key]*form{}
	note := func(key Key, f *form) {
		if v := odd[key]; v != nil && v.worse(f, inForce[key]) {
			inForce[key] = f
		}
	}
	expected := map[*form]bool{}
	for _, v := range odd {
		if v != nil && v.form != nil {
			expected[v.form] = true
		}
	}
	seen := map[*plan]bool{}
	for _, group := range b.groups {
		for _, stale := range group.stale {
			note(stale.key, stale.form)
		}
		for _, p := range group.plans {
			if seen[p] || len(expected) == 0 {
				continue
			}
			seen[p] = true
			p.each(func(part *part) {
				if expected[part.form] {
					note(part.key, part.form)
				}
			})
		}
	}
	return inForce
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
