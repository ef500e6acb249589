package snapshot

import (
	"fmt"
	"slices"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// slotSet is the slots of one HTTP connection manager: one chain slot, or declared slots for one filter each. What is not
// known of the listener is zero.
type slotSet struct {
	base      string   // name of the chain slot, and what the names of declared slots begin with
	declared  int      // number of declared slots; 0: a chain slot
	names     []string // of the slots that are served; of declared ones, those that somebody names
	proxy     Key
	in        string // name of the Listener resource
	listener  string // what targets call it
	port      uint32
	direction string
	routes    []string                // names of its routes
	written   *graftv1alpha1.Listener // nil where the listener is not of graft's making
}

// id names the set within a group, and in Memory.
func (s *slotSet) id() string {
	if s.declared == 0 || s.alone() {
		return s.base
	}
	return fmt.Sprintf("%s/of-%d", s.base, s.declared)
}

// setKey tells apart sets that may be planned differently.
type setKey struct {
	id, listener, direction string
	declared                int
	proxy                   Key
	port                    uint32
	written                 *graftv1alpha1.Listener
}

func (s *slotSet) key() setKey {
	return setKey{s.id(), s.listener, s.direction, s.declared, s.proxy, s.port, s.written}
}

// alone tells whether it is one declared slot whose name says no number.
func (s *slotSet) alone() bool { return s.declared == 1 && s.names[0] == s.base }

// slot names the i-th slot, from 0.
func (s *slotSet) slot(i int) string {
	if s.declared == 0 || s.alone() {
		return s.base
	}
	return declaredName(s.base, i+1, s.declared)
}

// slotSetOf gives the slots of a listener that graft makes.
func slotSetOf(p *Proxy, l *graftv1alpha1.Listener, declared bool) *slotSet {
	s := &slotSet{
		base:      SlotPrefix + l.GetName(),
		proxy:     p.Key,
		in:        l.GetName(),
		listener:  l.GetName(),
		port:      portOf(l.GetAddress()),
		direction: l.GetDirection(),
		written:   l,
	}
	if declared {
		s.declared = int(l.GetSlots())
		for i := range s.declared {
			s.names = append(s.names, declaredName(s.base, i+1, s.declared))
		}
	} else {
		s.names = []string{s.base}
	}
	for _, route := range l.GetRoutes() {
		if route.GetName() != "" {
			s.routes = append(s.routes, route.GetName())
		}
	}
	return s
}

// namedSlots groups slots that are only known by name into sets. A name without suffix is a chain slot if the proxies
// know chains, else a lone declared slot.
func namedSlots(names []string, chains bool) []*slotSet {
	var sets []*slotSet
	for _, name := range names {
		parsed := parseSlotName(name)
		s := &slotSet{base: parsed.base, declared: parsed.of, listener: parsed.listener(), names: []string{name}}
		if parsed.of == 0 && !chains {
			s.declared = 1
		}
		at := slices.IndexFunc(sets, func(other *slotSet) bool { return other.id() == s.id() })
		if at < 0 {
			sets = append(sets, s)
		} else if !slices.Contains(sets[at].names, name) {
			sets[at].names = append(sets[at].names, name)
		}
	}
	return sets
}
