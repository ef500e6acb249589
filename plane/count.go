package plane

import (
	"fmt"
	"slices"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/xds"
)

// verdict is what became of one filter at one proxy; over several slots the worst counts.
type verdict int

const (
	acked verdict = iota
	pending
	nacked
)

// counter counts proxies by filter. Most proxies are in the same state as many others, so each state is judged once, and
// what is in a content, which many share, is looked up once.
type counter struct {
	uses   map[*snapshot.Content]map[snapshot.Key]snapshot.FilterUse
	states map[string]*proxyState
}

// proxyState is all that decides what became of the filters at a proxy, and how many proxies are in it.
type proxyState struct {
	verdicts map[snapshot.Key]verdict
	proxies  int
}

// count fills in who runs what: each proxy with a slot that carries the filter is targeted, and then either runs the form
// that it should (acked), refused a content that brings another form (nacked), or does not run it yet (pending). A proxy
// that refused a content still runs those filters in it that it had before, in the same form. Where a deny stands in its
// place the filter does not run, whatever the proxy says.
func count(filters []FilterStatus, states []snapshot.FilterState, proxies []xds.Proxy) {
	index := make(map[snapshot.Key]*FilterStatus, len(filters))
	for i, state := range states {
		index[state.Key] = &filters[i]
	}
	c := counter{uses: map[*snapshot.Content]map[snapshot.Key]snapshot.FilterUse{}, states: map[string]*proxyState{}}
	for i := range proxies {
		c.add(&proxies[i], index)
	}
	for _, state := range c.states {
		for key, v := range state.verdicts {
			if f := index[key]; f != nil {
				f.tally(v, state.proxies)
			}
		}
	}
}

// add counts a proxy, and takes down what it refused.
func (c *counter) add(p *xds.Proxy, index map[snapshot.Key]*FilterStatus) {
	signature := stateOf(p)
	state := c.states[signature]
	if state == nil {
		state = &proxyState{verdicts: map[snapshot.Key]verdict{}}
		c.states[signature] = state
		for i := range p.Slots {
			slot := &p.Slots[i]
			c.judge(slot, func(key snapshot.Key, v verdict) { state.note(index[key], key, v, slot.Wanted.Revision) })
		}
		for i := range p.Routes {
			route := &p.Routes[i]
			judgeRoute(p, route, func(key snapshot.Key, v verdict) { state.note(index[key], key, v, route.Wanted.Version) })
		}
	}
	state.proxies++
	c.refusals(p, index)
}

// stateOf writes down all that the verdicts depend on.
func stateOf(p *xds.Proxy) string {
	var text []byte
	for i := range p.Slots {
		slot := &p.Slots[i]
		text = fmt.Appendf(text, "%p %p %t\n", slot.Wanted, slot.Acked, slot.Refusal != nil)
	}
	for i := range p.Routes {
		route := &p.Routes[i]
		text = fmt.Appendf(text, "%p %t %t\n", route.Wanted, route.Acked, refusalOf(p, route) != nil)
	}
	return string(text)
}

// note takes down what became of a filter in one slot, and the revision that carries it.
func (s *proxyState) note(f *FilterStatus, key snapshot.Key, v verdict, revision string) {
	if f == nil {
		return
	}
	s.verdicts[key] = max(s.verdicts[key], v)
	if at, found := slices.BinarySearch(f.Revisions, revision); !found {
		f.Revisions = slices.Insert(f.Revisions, at, revision)
	}
}

// judge looks at the filters of one slot.
func (c *counter) judge(slot *xds.SlotState, note func(snapshot.Key, verdict)) {
	have := c.of(slot.Acked)
	for _, use := range slot.Wanted.Uses {
		v := pending
		if now, ok := have[use.Key]; ok && now == use && use.Hash != "" {
			v = acked
		} else if slot.Refusal != nil {
			v = nacked
		}
		note(use.Key, v)
	}
}

// judgeRoute looks at the filters of per-route chains, which travel with the route configuration.
func judgeRoute(p *xds.Proxy, route *xds.RouteState, note func(snapshot.Key, verdict)) {
	v := pending
	if route.Acked {
		v = acked
	} else if refusalOf(p, route) != nil {
		v = nacked
	}
	for _, use := range route.Wanted.Uses {
		if v == acked && use.Hash == "" {
			note(use.Key, pending)
		} else {
			note(use.Key, v)
		}
	}
}

// refusals takes down Envoy's words at each filter that they keep out.
func (c *counter) refusals(p *xds.Proxy, index map[snapshot.Key]*FilterStatus) {
	for i := range p.Slots {
		slot := &p.Slots[i]
		if slot.Refusal == nil {
			continue
		}
		c.judge(slot, func(key snapshot.Key, v verdict) {
			if f := index[key]; f != nil && v == nacked {
				f.Refusals = append(f.Refusals, refusal(p, slot.Refusal))
			}
		})
	}
	for i := range p.Routes {
		route := &p.Routes[i]
		r := refusalOf(p, route)
		if r == nil || route.Acked {
			continue
		}
		keys := map[snapshot.Key]bool{} // a filter may be in several chains of one route configuration
		for _, use := range route.Wanted.Uses {
			keys[use.Key] = true
		}
		for key := range keys {
			if f := index[key]; f != nil {
				f.Refusals = append(f.Refusals, refusal(p, r))
			}
		}
	}
}

func refusalOf(p *xds.Proxy, route *xds.RouteState) *xds.Refusal {
	for i, r := range p.Refusals {
		if r.Type == route.Wanted.Type && r.Name == route.Wanted.Name {
			return &p.Refusals[i]
		}
	}
	return nil
}

func (c *counter) of(content *snapshot.Content) map[snapshot.Key]snapshot.FilterUse {
	if content == nil {
		return nil
	}
	uses, ok := c.uses[content]
	if !ok {
		uses = make(map[snapshot.Key]snapshot.FilterUse, len(content.Uses))
		for _, use := range content.Uses {
			uses[use.Key] = use
		}
		c.uses[content] = uses
	}
	return uses
}

func (f *FilterStatus) tally(v verdict, proxies int) {
	f.Targeted += proxies
	switch v {
	case acked:
		f.Acked += proxies
	case nacked:
		f.Nacked += proxies
	default:
		f.Pending += proxies
	}
}
