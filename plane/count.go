package plane

import (
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

// counter counts proxies by filter. Contents are shared by many proxies, so what is in each is looked up once.
type counter struct {
	uses map[*snapshot.Content]map[snapshot.Key]snapshot.FilterUse
}

// count fills in who runs what: each proxy with a slot that carries the filter is targeted, and then either runs the form
// that it should (acked), refused a content that brings another form (nacked), or has not answered (pending). A proxy that
// refused a content still runs those filters in it that it had before, in the same form.
func count(filters []FilterStatus, states []snapshot.FilterState, proxies []xds.Proxy) {
	index := make(map[snapshot.Key]*FilterStatus, len(filters))
	for i, state := range states {
		index[state.Key] = &filters[i]
	}
	c := counter{uses: map[*snapshot.Content]map[snapshot.Key]snapshot.FilterUse{}}
	for _, proxy := range proxies {
		verdicts := map[snapshot.Key]verdict{}
		for _, slot := range proxy.Slots {
			c.judge(slot, verdicts, func(key snapshot.Key, v verdict) {
				if f := index[key]; f != nil {
					f.note(proxy, slot, v)
				}
			})
		}
		for _, route := range proxy.Routes {
			judgeRoute(route, proxy, verdicts)
			for _, use := range route.Wanted.Uses {
				if f := index[use.Key]; f != nil {
					f.noteRoute(proxy, route)
				}
			}
		}
		for key, v := range verdicts {
			if f := index[key]; f != nil {
				f.tally(v)
			}
		}
	}
}

// judge looks at the filters of one slot.
func (c counter) judge(slot xds.SlotState, verdicts map[snapshot.Key]verdict, note func(snapshot.Key, verdict)) {
	if slot.Wanted == nil {
		return
	}
	have := c.of(slot.Acked)
	for _, use := range slot.Wanted.Uses {
		v := pending
		if now, ok := have[use.Key]; ok && now == use {
			v = acked
		} else if slot.Refusal != nil && slot.Refusal.Revision == slot.Wanted.Revision {
			v = nacked
		}
		verdicts[use.Key] = max(verdicts[use.Key], v)
		note(use.Key, v)
	}
}

// judgeRoute looks at the filters of per-route chains, which travel with the route configuration.
func judgeRoute(route xds.RouteState, proxy xds.Proxy, verdicts map[snapshot.Key]verdict) {
	v := pending
	if route.Acked {
		v = acked
	} else if refusalOf(proxy, route) != nil {
		v = nacked
	}
	for _, use := range route.Wanted.Uses {
		verdicts[use.Key] = max(verdicts[use.Key], v)
	}
}

func refusalOf(proxy xds.Proxy, route xds.RouteState) *xds.Refusal {
	for i, r := range proxy.Refusals {
		if r.Type == route.Wanted.Type && r.Name == route.Wanted.Name {
			return &proxy.Refusals[i]
		}
	}
	return nil
}

func (c counter) of(content *snapshot.Content) map[snapshot.Key]snapshot.FilterUse {
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

// carriedBy records a revision that carries the filter.
func (f *FilterStatus) carriedBy(revision string) {
	if at, found := slices.BinarySearch(f.Revisions, revision); !found {
		f.Revisions = slices.Insert(f.Revisions, at, revision)
	}
}

func (f *FilterStatus) noteRoute(proxy xds.Proxy, route xds.RouteState) {
	f.carriedBy(route.Wanted.Version)
	if r := refusalOf(proxy, route); r != nil && !route.Acked {
		f.Refusals = append(f.Refusals, refusal(proxy, *r))
	}
}

// note records the revision that carries the filter, and the refusal if there is one.
func (f *FilterStatus) note(proxy xds.Proxy, slot xds.SlotState, v verdict) {
	f.carriedBy(slot.Wanted.Revision)
	if v == nacked {
		f.Refusals = append(f.Refusals, refusal(proxy, *slot.Refusal))
	}
}

func (f *FilterStatus) tally(v verdict) {
	f.Targeted++
	switch v {
	case acked:
		f.Acked++
	case nacked:
		f.Nacked++
	default:
		f.Pending++
	}
}
