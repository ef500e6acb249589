package xds

import (
	"slices"

	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/graft-xds/graft/snapshot"
)

// answer is what a request says about a response.
type answer struct {
	nonce   string
	refused bool
	text    string // Envoy's, of a NACK
}

// maxText bounds what is kept of a NACK's text.
const maxText = 4096

// settle takes the ACK or NACK in a request. One with another nonce than the last response of its type is stale, or no
// answer at all. mu is held.
func (s *session) settle(w *watch, a answer) {
	f := w.flight
	if f == nil || a.nonce == "" || f.nonce != a.nonce {
		return
	}
	a.text = a.text[:min(len(a.text), maxText)]
	s.server.counters.answered(w.index, a.refused)
	switch {
	case w.index == extensionIndex && a.refused:
		s.slotRefused(w, f, a.text)
	case w.index == extensionIndex:
		s.slotAcked(w, f)
	case a.refused:
		w.refuse(s, f, a.text)
		s.logRefusal(w.typeURL, f.items, a.text)
	default:
		w.settle(f, func(string) bool { return false })
	}
}

// slotAcked records that the client took a content. An ACK of a refused revision does not count: Envoy gives one when the
// same bytes come a second time, while the old filter still runs.
func (s *session) slotAcked(w *watch, f *flight) {
	w.flight, w.dirty = nil, true
	sl := f.slot
	if sl == nil || s.slots[sl.name] != sl {
		return // it is no longer asked for
	}
	sl.settled, sl.served = true, f.asks
	if s.server.verdicts.about(s.proxyKey(), sl.name, f.revision) != nil {
		sl.poisoned = true
		return
	}
	sl.known, sl.acked = f.items[0].version, f.content
	if f.remote {
		s.server.memories.fetched(s.token, f.content.Fetches...)
	}
	sl.warm = nil
	if !sl.poisoned {
		return
	}
	sl.poisoned = false
	s.heals++
	if listeners := s.watches[listenerIndex]; listeners != nil {
		listeners.dirty = true // what was refused because of the slot may go out again
	}
	for _, v := range s.server.verdicts.mended(s.proxyKey(), sl.name) {
		s.later = append(s.later, func() { s.server.save(v) })
	}
}

// slotRefused records a verdict, unless the NACK only says that a module has to be fetched first.
func (s *session) slotRefused(w *watch, f *flight, text string) {
	w.flight, w.dirty = nil, true
	sl := f.slot
	if sl == nil || s.slots[sl.name] != sl {
		return
	}
	sl.settled, sl.poisoned, sl.served = true, true, f.asks
	if f.remote {
		s.missed(sl, f)
		return
	}
	v := &verdict{Verdict: Verdict{
		Node: s.node.ID, Envoy: s.node.Traits.Version, Slot: sl.name, Revision: f.revision, Text: text, At: s.now(),
	}}
	if good := s.lastGood(sl); good != nil && good.revision() != f.revision {
		v.content = good.content
		if good.content != nil {
			v.Good = &Good{Revision: good.content.Revision}
		} else {
			v.Good = good.verdict.Good
		}
	}
	sl.warm = nil
	s.server.verdicts.add(v)
	s.later = append(s.later, func() { s.server.save(v) })
	s.logRefusal(snapshot.ExtensionType, f.items, text)
}

// lastGood is what the slot carried before it was sent what it refused.
func (s *session) lastGood(sl *slot) *push {
	if sl.known == "" {
		return nil
	}
	if sl.acked != nil {
		return &push{slot: sl, content: sl.acked}
	}
	if v := s.server.verdicts.goodOf(s.proxyKey(), sl.name, base(sl.known)); v != nil {
		return &push{slot: sl, content: v.content, verdict: v}
	}
	return nil
}

func (s *session) logRefusal(typeURL string, items []item, text string) {
	names := make([]string, len(items))
	for i, one := range items {
		names[i] = one.Name
	}
	s.server.options.Logger.Warn("proxy refused an update", zap.String("node", s.node.ID), zap.String("type", typeURL),
		zap.Strings("resources", slices.Compact(names)), zap.String("text", text))
}

// hear takes a request: what it says about the last response, and what it asks for. The handler goroutine calls it; an
// error ends the stream.
func (s *session) hear(r request) error {
	r.typeURL = s.typeOf(r.typeURL)
	switch {
	case s.only != "" && r.typeURL != s.only:
		return status.Errorf(codes.InvalidArgument, "this service serves %s, not %q", s.only, r.typeURL)
	case r.typeURL == "":
		return status.Error(codes.InvalidArgument, "a request on an aggregated stream needs a type URL")
	}
	defer s.finish()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.known { // it never told its node
		s.known, s.token = true, tokenOf("")
	}
	if index := typeIndex(r.typeURL); index >= 0 && s.watches[index] != nil {
		w := s.watches[index]
		s.settle(w, r.answer)
		if !s.delta && w.nonce != "" && r.nonce != w.nonce {
			s.ring()
			return nil // made before the last response came; the request that follows that says what is asked for now
		}
	}
	return s.subscribe(r)
}
