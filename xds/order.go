package xds

import (
	"slices"
)

// decide makes the next response; nil if there is nothing to say now. Make before break: types go out in the order of
// their indexes, each once those before it are answered, so that what names something arrives after it; what is no longer
// named goes last, when all that might still name it has been taken. A type that the client does not ask for is not
// waited for, nor is one that it never answers. mu is held.
func (s *session) decide() *frame {
	if s.res == nil {
		return nil
	}
	if f := s.mend(); f != nil {
		return f // first: Envoy refuses listeners while a slot stands refused
	}
	warming := false
	for i, w := range s.watches {
		if w == nil || warming && i != endpointIndex && i != secretIndex {
			continue
		}
		if w.flight == nil && !(i == listenerIndex && s.mending()) {
			if f := s.offer(w); f != nil {
				return f
			}
		}
		if s.waitsFor(w) {
			if i != clusterIndex {
				return nil
			}
			warming = true // Envoy answers for clusters once they have their endpoints and secrets
		}
	}
	if warming || !s.stable() {
		return nil
	}
	for i := typeCount - 1; i >= 0; i-- {
		if w := s.watches[i]; w != nil && w.flight == nil && w.dirty && i != extensionIndex {
			if f := s.respond(w, w.changes(s), true); f != nil {
				return f
			}
		}
	}
	return nil
}

// waitsFor tells whether the types after w must wait for the answer to its response.
func (s *session) waitsFor(w *watch) bool {
	if w.flight == nil {
		return false
	}
	until := w.flight.at.Add(s.server.options.Patience)
	if !s.now().Before(until) {
		return false
	}
	s.awake(until)
	return true
}

// mending tells whether the cure of a slot is on its way.
func (s *session) mending() bool {
	w := s.watches[extensionIndex]
	return w != nil && w.flight != nil && w.flight.mends && s.waitsFor(w)
}

// stable tells whether all that may name other resources has been taken in its newest form. While something stands
// refused, the form before it runs, and keeps what it names.
func (s *session) stable() bool {
	for _, i := range []int{listenerIndex, routeIndex, extensionIndex} {
		if w := s.watches[i]; w != nil && (s.waitsFor(w) || len(w.refused) > 0) {
			return false
		}
	}
	for _, sl := range s.slots {
		if sl.poisoned || s.wanted(sl) != nil {
			return false
		}
	}
	return true
}

// offer makes the response that brings the client of a type forward, without taking anything away that may be in use.
func (s *session) offer(w *watch) *frame {
	if !w.dirty {
		return nil
	}
	if w.index == extensionIndex {
		return s.offerSlot(w)
	}
	if w.reported != "" {
		s.trust(w)
	}
	if w.index == endpointIndex {
		s.rewarm(w)
	}
	c := w.changes(s)
	if !c.retry.IsZero() {
		s.awake(c.retry)
	}
	if f := s.respond(w, c, w.index == listenerIndex); f != nil {
		return f
	}
	if len(c.remove) == 0 { // what is to be removed later keeps it dirty
		w.dirty = !c.retry.IsZero()
		if w.takesAll() && len(w.refused) == 0 {
			w.exactly, w.have = s.res.Types[w.typeURL], nil
		}
	}
	return nil
}

// rewarm makes the endpoints of the clusters that are on their way go out once more. Envoy makes a new cluster of each
// that has changed, and does not answer before that has endpoints, which it does not ask for: it has them already.
func (s *session) rewarm(w *watch) {
	clusters := s.watches[clusterIndex]
	if clusters == nil || clusters.flight == nil || clusters.flight.warmed {
		return
	}
	clusters.flight.warmed = true
	for _, one := range clusters.flight.items {
		if h, ok := w.has(one.Name); ok && h.version != "" {
			w.forget(one.Name)
		}
	}
}

// trust takes the word of a SotW client that comes back with a version: it has what that version stands for.
func (s *session) trust(w *watch) {
	target := s.target(w, changes{}, true)
	if base(w.reported) == fingerprint(versionsOf(target)) {
		w.have, w.exactly = map[string]held{}, nil
		for _, one := range target {
			w.have[one.Name] = held{one.version, one.Resource}
		}
	}
	w.reported = ""
}

// target is all that a SotW client will have of a type: what it has, with the changes.
func (s *session) target(w *watch, c changes, remove bool) []item {
	w.spread()
	var out []item
	send := c.send // in the order of the list
	for _, r := range s.res.Types[w.typeURL] {
		if !w.wants(r.Name) {
			continue
		}
		if len(send) > 0 && send[0].Resource == r {
			out = append(out, send[0])
			send = send[1:]
		} else if h, ok := w.have[r.Name]; ok && h.resource != nil {
			out = append(out, item{h.resource, h.version})
		} else if w.refused[r.Name] == nil {
			out = append(out, item{r, r.Version})
		}
	}
	if !remove {
		for _, name := range c.remove {
			if h := w.have[name]; h.resource != nil {
				out = append(out, item{h.resource, h.version})
			}
		}
	}
	return out
}

func versionsOf(items []item) map[string]string {
	versions := make(map[string]string, len(items))
	for _, one := range items {
		versions[one.Name] = one.version
	}
	return versions
}

// respond makes the response that carries the changes; nil if there are none that the client must hear of. remove tells
// whether resources may be taken away now.
func (s *session) respond(w *watch, c changes, remove bool) *frame {
	taken := remove && len(c.remove) > 0
	news := len(c.send) > 0 || taken || s.delta && len(c.absent) > 0 || w.shrunk
	if !news && (w.greeted || !w.sub.IsWildcard()) {
		return nil
	}
	f := &flight{watch: w, at: s.now(), items: c.send}
	if taken {
		f.removed = c.remove
	}
	if w.takesAll() && len(w.refused) == 0 && (remove || len(c.remove) == 0) {
		f.final = s.res.Types[w.typeURL]
	}
	var out *frame
	if s.delta {
		removed := append(slices.Clone(f.removed), c.absent...)
		f.removed = removed
		out = s.server.press.frame(true, w.typeURL, responseName(c.send), c.send, removed)
	} else {
		target := s.target(w, c, remove)
		f.version = fingerprint(versionsOf(target))
		send := c.send
		if fullState(w.index) {
			send = target
		}
		out = s.server.press.frame(false, w.typeURL, f.version, send, nil)
	}
	w.flight, w.greeted, w.shrunk = f, true, false
	out.flight = f
	if endpoints := s.watches[endpointIndex]; w.index == clusterIndex && endpoints != nil {
		endpoints.dirty = true // see rewarm
	}
	return out
}

// fullState tells whether a SotW response holds all resources of the type, so that what is missing is gone: the protocol
// has it so for listeners and clusters.
func fullState(index int) bool { return index == listenerIndex || index == clusterIndex }

// responseName is system_version_info of a delta response: Envoy shows it in its version_text statistics, so a response
// with one resource bears that one's version.
func responseName(items []item) string {
	if len(items) == 1 {
		return items[0].version
	}
	return fingerprint(versionsOf(items))
}
