package xds

import (
	"cmp"
	"slices"
	"strings"

	"github.com/graft-xds/graft/snapshot"
)

// first chooses among the pushes that are due. A slot that has nothing loses nothing, and a chain slot stands for itself.
// In declared slots no filter may be absent for a moment that was there and shall be there: snapshot.NextSlot knows the
// order. nil if all of them have to wait for others.
func (s *session) first(due []*push) *push {
	var heavy *push
	for _, p := range due {
		if p.slot.known == "" || p.slot.again() || slotSet(p.slot.name) == p.slot.name {
			if !p.hasModules() {
				return p
			}
			heavy = cmp.Or(heavy, p)
		}
	}
	if heavy != nil {
		return heavy
	}
	for _, p := range due {
		if chosen := s.firstOf(slotSet(p.slot.name), due); chosen != nil {
			return chosen
		}
	}
	return nil
}

// hasModules tells whether the proxy has to compile before it can answer. A listener that warms counts the
// initial_fetch_timeout of all its slots at once, so what is quick goes first.
func (p *push) hasModules() bool {
	return p.content != nil && slices.ContainsFunc(p.content.Uses, func(use snapshot.FilterUse) bool { return use.Digest != "" })
}

// firstOf chooses among the pushes to one set of slots. What cannot go out now, because it was refused or because a module
// is being fetched, is left out of the plan, but what it would replace is not taken for granted: see strands.
func (s *session) firstOf(set string, due []*push) *push {
	have, want, held := map[string]*snapshot.Content{}, map[string]*snapshot.Content{}, map[string]*snapshot.Content{}
	pushes := map[string]*push{}
	for _, p := range due {
		pushes[p.slot.name] = p
	}
	for name, sl := range s.slots {
		if slotSet(name) != set {
			continue
		}
		if sl.acked != nil {
			have[name], want[name] = sl.acked, sl.acked
		}
		wanted := s.res.Slots[name]
		if p := pushes[name]; p != nil && p.content != nil {
			want[name] = p.content
		} else if wanted != nil && (sl.acked == nil || wanted.Revision != sl.acked.Revision) {
			held[name] = wanted
		}
	}
	for range len(want) {
		name, more := s.server.nextSlot(have, want)
		if !more {
			break
		}
		if p := pushes[name]; p != nil && !strands(have, held, name, want[name]) {
			return p
		}
		if want[name] = have[name]; have[name] == nil {
			delete(want, name)
		}
	}
	return nil
}

// strands tells whether a write would take a filter away whose new place cannot be written now.
func strands(have, held map[string]*snapshot.Content, name string, content *snapshot.Content) bool {
	if have[name] == nil {
		return false
	}
	for _, use := range have[name].Uses {
		if carries(content, use.Key) {
			continue
		}
		waits, stands := false, false
		for _, c := range held {
			waits = waits || carries(c, use.Key)
		}
		for other, c := range have {
			stands = stands || other != name && carries(c, use.Key)
		}
		if waits && !stands {
			return true
		}
	}
	return false
}

func carries(c *snapshot.Content, key snapshot.Key) bool {
	return c != nil && slices.ContainsFunc(c.Uses, func(use snapshot.FilterUse) bool { return use.Key == key })
}

// slotSet is what the declared slots of one listener have in common: "graft/web" for "graft/web/3-of-8".
func slotSet(name string) string {
	if at := strings.LastIndexByte(name, '/'); at > 0 && strings.Contains(name[at:], "-of-") {
		return name[:at]
	}
	return name
}
