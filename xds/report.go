package xds

import (
	"cmp"
	"slices"
	"time"

	"github.com/graft-xds/graft/snapshot"
)

// Proxy is one stream of a proxy as it stands. An Envoy that takes each type, or each slot, from a service of its own
// appears once for each of its streams; a slot is on one of them.
type Proxy struct {
	Node     snapshot.Node
	Since    time.Time // when the stream began
	Delta    bool      // incremental xDS; else state of the world
	Service  string    // type URL of a separate service; empty on ADS
	Group    string    // key
	Foreign  []string  // slots that it asks for and that no listener of ours names
	Slots    []SlotState
	Routes   []RouteState
	Refusals []Refusal // of all types but ECDS, by name
}

// SlotState is a slot that a proxy asks for and that its group has.
type SlotState struct {
	Name    string
	Wanted  *snapshot.Content // never nil
	Sent    string            // version that was sent last on this stream; empty: none
	Version string            // that the proxy has, by an ACK or its own word; empty: none
	Acked   *snapshot.Content // behind Version; nil if the proxy has none, or one that nobody remembers
	Refusal *Refusal          // the verdict on Wanted; nil if there is none
	Waiting bool              // the proxy is fetching a module
}

// RouteState is a route configuration that a proxy asks for and that its group has.
type RouteState struct {
	Wanted *snapshot.Resource
	Acked  bool // the proxy has it in this version
}

// Refusal is a NACK that stands.
type Refusal struct {
	Type     string // URL
	Name     string
	Revision string
	Text     string // Envoy's own words
	At       time.Time
}

// Proxies gives the streams that are open and have told their node, by node id and since when.
func (s *Server) Proxies() []Proxy {
	var out []Proxy
	for _, one := range s.sessions() {
		if p, ok := one.report(); ok {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b Proxy) int {
		return cmp.Or(cmp.Compare(a.Node.ID, b.Node.ID), a.Since.Compare(b.Since))
	})
	return out
}

func (s *session) report() (Proxy, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.known {
		return Proxy{}, false
	}
	p := Proxy{Node: s.node, Since: s.since, Delta: s.delta, Service: s.only, Group: s.group.Key, Foreign: s.group.Foreign}
	for _, w := range s.watches {
		if w == nil {
			continue
		}
		for name, r := range w.refused {
			p.Refusals = append(p.Refusals, Refusal{Type: w.typeURL, Name: name, Revision: r.version, Text: r.text, At: r.at})
		}
	}
	slices.SortFunc(p.Refusals, func(a, b Refusal) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name))
	})
	if s.res == nil {
		return p, true
	}
	for _, sl := range s.slots {
		if c := s.res.Slots[sl.name]; c != nil {
			p.Slots = append(p.Slots, s.slotState(sl, c))
		}
	}
	slices.SortFunc(p.Slots, func(a, b SlotState) int { return cmp.Compare(a.Name, b.Name) })
	if w := s.watches[routeIndex]; w != nil {
		for _, r := range s.res.Types[snapshot.RouteType] {
			if h, ok := w.have[r.Name]; ok && h.version != "" {
				p.Routes = append(p.Routes, RouteState{r, base(h.version) == r.Version})
			}
		}
	}
	return p, true
}

func (s *session) slotState(sl *slot, c *snapshot.Content) SlotState {
	state := SlotState{
		Name: sl.name, Wanted: c, Sent: sl.last, Version: sl.known, Acked: sl.acked, Waiting: sl.warm != nil && sl.warm.waiting,
	}
	if base(sl.known) == c.Revision && sl.acked == nil {
		state.Acked = c
	}
	if v := s.server.verdicts.about(s.proxyKey(), sl.name, c.Revision); v != nil {
		state.Refusal = &Refusal{Type: snapshot.ExtensionType, Name: sl.name, Revision: v.Revision, Text: v.Text, At: v.At}
	}
	return state
}
