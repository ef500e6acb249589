package xds

import (
	"slices"
	"strings"

	"github.com/graft-xds/graft/snapshot"
)

// slot is what is known of one ECDS resource that the client asks for.
type slot struct {
	name     string
	known    string            // version that the client has; empty: none that we know of
	acked    *snapshot.Content // behind known, if it is in hand
	last     string            // version that was sent last on this stream
	settled  bool              // last was answered
	poisoned bool              // Envoy refused what it was sent last: it refuses listeners too until the slot takes something
	asks     int               // how many times the client asked anew: it may have dropped what it had
	served   int               // asks when it was sent last what it took
	ours     bool              // a listener of ours names it, or did
	warm     *warmth           // of a module that the proxy fetches
}

// again tells whether the client has to be sent the slot even if it has it.
func (sl *slot) again() bool { return sl.asks > sl.served }

// slotFlight is the part of a flight that only ECDS has.
type slotFlight struct {
	slot     *slot
	content  *snapshot.Content // nil: only its bytes are known
	revision string
	version  string // of the resource on delta, version_info on SotW; other types use it on SotW only
	remote   bool
	mends    bool
	asks     int // of the slot, when it was sent
}

// push is a content that has to go to a slot.
type push struct {
	slot    *slot
	content *snapshot.Content
	verdict *verdict // of what was refused, if this is the last good content instead
}

func (p *push) revision() string {
	if p.content != nil {
		return p.content.Revision
	}
	return p.verdict.Good.Revision
}

// wanted tells what a slot lacks; nil if it has what it should have, or nothing can be sent to it.
func (s *session) wanted(sl *slot) *push {
	c := s.res.Slots[sl.name]
	if c != nil && !(c.Provisional && sl.known != "" && sl.acked == nil) { // what this graft sent, it may replace
		v := s.server.verdicts.about(s.proxyKey(), sl.name, c.Revision)
		switch {
		case v == nil && base(sl.known) == c.Revision && !sl.poisoned && !sl.again():
			sl.acked = c
			return nil
		case v == nil:
			return &push{slot: sl, content: c}
		case sl.poisoned || sl.known == "" || base(sl.known) == c.Revision || sl.again():
			return s.cure(sl, v)
		}
		return nil
	}
	if sl.poisoned {
		return s.cure(sl, s.server.verdicts.standing(s.proxyKey(), sl.name))
	}
	return nil
}

// cure is the content that served when another one was refused; nil if there is none, or it was refused since.
func (s *session) cure(sl *slot, v *verdict) *push {
	if v == nil || v.Good == nil || s.server.verdicts.about(s.proxyKey(), sl.name, v.Good.Revision) != nil {
		return nil
	}
	return &push{slot: sl, content: v.content, verdict: v}
}

// offerSlot answers the slots, one at a time.
func (s *session) offerSlot(w *watch) *frame {
	if w.reported != "" {
		if s.pending {
			return nil // what it reports can only be compared with all that it asks for
		}
		s.trustSlots(w)
	}
	due := s.due()
	if len(due) == 0 {
		if w.shrunk {
			return s.shrinkSlots(w)
		}
		w.dirty = s.warming()
		return nil
	}
	if p := s.first(due); p != nil {
		return s.push(w, p)
	}
	return nil
}

// mend gives a slot that stands refused its last good content, before all else.
func (s *session) mend() *frame {
	w := s.watches[extensionIndex]
	if w == nil || w.flight != nil || !w.dirty || w.reported != "" {
		return nil
	}
	for _, sl := range s.slots {
		if sl.poisoned && sl.warm == nil {
			if p := s.wanted(sl); p != nil {
				return s.push(w, p)
			}
		}
	}
	return nil
}

// due gives the pushes that could go out now, by name of their slots.
func (s *session) due() []*push {
	var due []*push
	for _, sl := range s.slots {
		if p := s.wanted(sl); p != nil && !s.waitsForFetch(p) {
			due = append(due, p)
		}
	}
	slices.SortFunc(due, func(a, b *push) int { return strings.Compare(a.slot.name, b.slot.name) })
	return due
}

// push sends a content to a slot.
func (s *session) push(w *watch, p *push) *frame {
	sl := p.slot
	f := &flight{watch: w, at: s.now(), slotFlight: slotFlight{slot: sl, content: p.content, revision: p.revision(), mends: sl.poisoned, asks: sl.asks}}
	one := s.rendering(p, f)
	if one.Resource == nil {
		sl.poisoned, sl.served = false, sl.asks // nothing can be done with what is left of it
		return nil
	}
	f.items = []item{one}
	sl.last, sl.settled = one.version, false
	var out *frame
	if s.delta {
		f.version = one.version
		out = s.server.press.frame(true, w.typeURL, one.version, f.items, nil)
	} else {
		f.version = s.slotsVersion(sl, f.revision)
		if _, attempt, ok := strings.Cut(one.version, "#"); ok {
			f.version = attempted(f.version, attempt)
		}
		out = s.server.press.frame(false, w.typeURL, f.version, f.items, nil)
	}
	w.flight, w.greeted, w.shrunk = f, true, false
	out.flight = f
	return out
}

// rendering chooses how a content is sent: fetched by the proxy, inline, or from the bytes that an earlier process left.
func (s *session) rendering(p *push, f *flight) item {
	sl := p.slot
	if p.verdict == nil && s.remotely(p) {
		f.remote = true
		return s.remoteItem(p)
	}
	seed := ""
	if p.verdict != nil {
		seed = s.server.options.Incarnation + "-" + short(p.verdict.Revision)
	} else if sl.poisoned {
		seed = s.server.options.Incarnation
	}
	attempt := s.attempt(sl, p.revision(), seed)
	if p.content != nil {
		r := s.server.press.inline(p.content, attempt)
		return item{r, r.Version}
	}
	r := s.server.restamp(sl.name, *p.verdict.Good, attempt)
	if r == nil {
		return item{}
	}
	return item{r, attempted(p.verdict.Good.Revision, attempt)}
}

func short(revision string) string { return revision[:min(8, len(revision))] }

// slotsVersion is version_info of a SotW client that has what it was sent so far and the given revision in one slot.
func (s *session) slotsVersion(changed *slot, revision string) string {
	versions := map[string]string{}
	for name, sl := range s.slots {
		if sl.known != "" {
			versions[name] = base(sl.known)
		}
	}
	if changed != nil {
		versions[changed.name] = revision
	}
	return fingerprint(versions)
}

// shrinkSlots tells a SotW client the version of what it still has, so that it does not come back with that of more.
func (s *session) shrinkSlots(w *watch) *frame {
	f := &flight{watch: w, at: s.now(), slotFlight: slotFlight{version: s.slotsVersion(nil, "")}}
	out := s.server.press.frame(false, w.typeURL, f.version, nil, nil)
	w.flight, w.shrunk, out.flight = f, false, f
	return out
}

// trustSlots takes the word of a SotW client that comes back: if it has all that it should have, nothing is sent.
func (s *session) trustSlots(w *watch) {
	versions := map[string]string{}
	for name := range s.slots {
		c := s.res.Slots[name]
		if c == nil {
			continue
		}
		if v := s.server.verdicts.about(s.proxyKey(), name, c.Revision); v == nil {
			versions[name] = c.Revision
		} else if v.Good != nil {
			versions[name] = v.Good.Revision
		}
	}
	if base(w.reported) == fingerprint(versions) {
		for name, version := range versions {
			s.slots[name].known = version
			s.slots[name].acked = s.server.catalog.find(name, version)
		}
	}
	w.reported = ""
}
