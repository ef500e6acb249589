package snapshot

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/types/known/anypb"
)

// declaredConfig renders a declared slot: its one filter, or one that does nothing. An attempt makes the bytes unique;
// those of a native filter and of a deny stay as they are, for nothing can be added to them.
func (c *Content) declaredConfig(v Variant) *anypb.Any {
	if len(c.parts) == 0 {
		return anyOf(idleFilter(v.Attempt))
	}
	config := c.parts[0].config(v, c.options)
	if v.Attempt == "" {
		return config
	}
	switch config.GetTypeUrl() {
	case wasmType:
		return withVMAttempt(config, v.Attempt)
	case luaType:
		return withLuaAttempt(config, v.Attempt)
	default:
		return config
	}
}

// seated is a part on its way into a declared slot.
type seated struct {
	part
	applied
}

// declared plans declared slots: each part in a slot of its own, where it was before as far as the order allows.
func (p *planner) declared() *plan {
	var all []seated
	for _, filter := range p.filters {
		if part, ok := p.part(filter); ok {
			all = append(all, seated{part, filter})
		}
	}
	fitting := p.fit(all)
	keys := make([]Key, len(fitting))
	byKey := make(map[Key]*seated, len(fitting))
	for i := range fitting {
		keys[i] = fitting[i].part.key
		byKey[keys[i]] = &fitting[i]
	}
	order := p.assign(p.before.order, keys, p.set.declared)
	routes := &perRoute{only: map[string][]string{}}
	contents := make(map[string]*Content, len(order))
	for i, key := range order {
		var parts []part
		name := p.set.slot(i)
		if s := byKey[key]; s != nil {
			parts = []part{s.part}
			if s.routes != nil {
				routes.only[name] = s.routes
			}
		}
		contents[name] = p.content(name, false, parts, p.isProvisional())
	}
	if len(routes.only) == 0 {
		routes = nil
	}
	return p.finish(contents, order, routes)
}

// assign is assign, once for all groups that have the same slots.
func (b *builder) assign(before SlotOrder, filters []Key, n int) SlotOrder {
	problem := fmt.Sprint(n, before, filters)
	made, ok := b.assigned[problem]
	if !ok {
		made = assign(before, filters, n)
		b.assigned[problem] = made
	}
	return made
}

// overflow stands in a SlotOrder for the deny that was put there because filters did not fit. No object can be named so.
var overflow = Key{Kind: kindFilter, Namespace: "graft", Name: "*"}

// fit decides who has a slot when there are more filters than slots. Filters that have one keep it, and what comes anew is
// left out: the listener serves on as it did. Where nothing was served yet, the first by order have the slots; and where
// one is left out that must not be missing, a deny stands in the last slot until all fit.
func (p *planner) fit(all []seated) []seated {
	n := p.set.declared
	if len(all) <= n {
		return all
	}
	fits := make([]bool, len(all))
	free := n
	anew := !p.before.known || p.before.carried(overflow)
	for i := range all {
		if !anew && free > 0 && p.before.carried(all[i].part.key) {
			fits[i] = true
			free--
		}
	}
	for i := range all {
		if free > 0 && !fits[i] {
			fits[i] = true
			free--
		}
	}
	denied := anew && slices.ContainsFunc(all[n:], func(s seated) bool { return !s.failsOpen() })
	if denied {
		fits[n-1] = false
		p.denied = true
	}
	return p.leaveOut(all, fits, denied)
}

// leaveOut gives the filters that fit, and says of each other one that it does not.
func (p *planner) leaveOut(all []seated, fits []bool, denied bool) []seated {
	what := fmt.Sprintf("%d filters are for listener %q, which has declared slots for %d: this one is left out",
		len(all), p.set.listener, p.set.declared)
	hint := "raise slots of the listener, which closes its connections once"
	if p.set.written == nil {
		hint = fmt.Sprintf("name more slots in its connection manager, as in %s", declaredName(p.set.base, 1, defaultSlots))
	}
	if denied {
		what += ", and every request is denied until all fit"
	}
	var fitting []seated
	for i := range all {
		if fits[i] {
			fitting = append(fitting, all[i])
			continue
		}
		p.missing = append(p.missing, all[i].part.key)
		p.remarks = append(p.remarks, remark{
			object: all[i].part.key, field: "spec.targets", code: CodeTooMany, what: what,
			hint: hint + "; or narrow the targets of some filters; or use an Envoy with envoy.filters.http.filter_chain (1.39 or newer), where any number fits",
		})
	}
	if denied {
		fitting = append(fitting, seated{part: part{key: overflow}})
	}
	return fitting
}
