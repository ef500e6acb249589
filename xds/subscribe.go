package xds

import (
	xdsstream "github.com/envoyproxy/go-control-plane/pkg/server/stream/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// request is what both kinds of request have in common.
type request struct {
	typeURL  string
	asked    []string          // delta: names that are newly, or once more, subscribed to; SotW: all names
	left     []string          // delta: names that are given up
	versions map[string]string // delta: what the client has, in the first request of a type
	version  string            // SotW: version_info
	answer
}

// subscribe takes the subscription of a request; it is called for the first request of a type and each one after it.
// An error ends the stream. mu is held.
func (s *session) subscribe(r request) error {
	index := typeIndex(r.typeURL)
	if index < 0 { // nothing of that type will ever exist here
		if s.strange++; s.strange > maxStrange {
			return status.Errorf(codes.ResourceExhausted, "too many requests for types that are not served, as %q", r.typeURL)
		}
		return nil
	}
	if s.placed == nil {
		s.place()
	}
	w, first := s.watches[index], false
	if w == nil {
		w, first = &watch{index: index, typeURL: r.typeURL, dirty: true}, true
		s.watches[index] = w
	}
	w.subscribe(r, s.delta, first)
	if first {
		s.begin(w, r)
	}
	if index == extensionIndex {
		s.subscribeSlots(w, r, first)
	} else if !first {
		w.renew(r, s.delta)
	}
	s.ring()
	return s.checkNames()
}

// maxStrange bounds the requests for unknown types.
const maxStrange = 100

func (s *session) checkNames() error {
	names := 0
	for _, w := range s.watches {
		if w != nil {
			names += len(w.sub.SubscribedResources())
		}
	}
	if most := s.server.options.MaxNames; names > most {
		return status.Errorf(codes.ResourceExhausted, "more than %d resource names on one stream", most)
	}
	return nil
}

// subscribe brings the subscription up to date. Only listeners and clusters have the old rule that no names at all mean
// everything, until a name was asked for (xDS protocol, "How the client specifies what resources to return").
func (w *watch) subscribe(r request, delta, first bool) {
	legacy := fullState(w.index)
	switch {
	case first && delta:
		w.sub = xdsstream.NewDeltaSubscription(r.asked, r.left, nil, legacy)
	case first:
		w.sub = xdsstream.NewSotwSubscription(r.asked, legacy)
	case delta:
		w.sub.UpdateResourceSubscriptions(r.asked, r.left)
	default:
		w.sub.SetResourceSubscription(r.asked)
	}
}

// begin takes from the first request of a type what the client already has.
func (s *session) begin(w *watch, r request) {
	w.reported = r.version
	if r.version != "" || len(r.versions) > 0 {
		s.reported, w.greeted = true, true
	}
	if w.index == extensionIndex {
		return
	}
	w.have = make(map[string]held, len(r.versions))
	for name, version := range r.versions {
		w.have[name] = held{version: version}
	}
}

// renew takes a later request. A client that subscribes to a name once more may have forgotten the resource, so it is
// sent again; one that leaves a name and still has the wildcard must be told what is behind the name now.
func (w *watch) renew(r request, delta bool) {
	if delta {
		for _, name := range r.asked {
			if name != "*" {
				w.forget(name)
			} else {
				w.dirty = true
			}
		}
		for _, name := range r.left {
			if name == "*" {
				w.leave()
				continue
			}
			w.forget(name)
			if w.sub.IsWildcard() {
				w.have[name] = held{version: "?"} // exists or not, say so
			}
		}
		return
	}
	if w.leave() {
		w.shrunk, w.dirty = true, true
	}
	for name := range w.sub.SubscribedResources() {
		if _, ok := w.have[name]; !ok && w.exactly == nil {
			w.dirty = true
		}
	}
}

// leave drops what the client no longer asks for, and tells whether there was any.
func (w *watch) leave() bool {
	if w.sub.IsWildcard() {
		return false
	}
	w.spread()
	gone := false
	for name := range w.have {
		if !w.wants(name) {
			delete(w.have, name)
			gone = true
		}
	}
	for name := range w.refused {
		if !w.wants(name) {
			delete(w.refused, name)
		}
	}
	return gone
}

// subscribeSlots brings s.slots in line with the names that the client asks for.
func (s *session) subscribeSlots(w *watch, r request, first bool) {
	if !first && s.delta {
		for _, name := range r.asked {
			if sl := s.slots[name]; sl != nil {
				sl.asks++
				w.dirty = true
			}
		}
	}
	for name := range w.sub.SubscribedResources() {
		if s.slots[name] == nil {
			s.addSlot(name, r.versions[name])
			w.dirty = true
		}
	}
	if w.sub.IsWildcard() {
		s.addAllSlots()
	}
	for name, sl := range s.slots {
		if !w.wants(name) {
			delete(s.slots, name)
			w.shrunk = w.shrunk || !s.delta && sl.known != ""
			w.dirty = true
		}
	}
	s.place()
}

func (s *session) addSlot(name, version string) {
	if s.slots == nil {
		s.slots = map[string]*slot{}
	}
	sl := &slot{name: name, known: version}
	if version != "" {
		sl.acked = s.server.catalog.find(name, base(version))
		sl.poisoned = s.server.verdicts.standing(s.proxyKey(), name) != nil
	}
	if f := s.watches[extensionIndex].flight; f != nil && f.slot != nil && f.slot.name == name {
		sl.last = f.slot.last // is on its way to the one that asked before
	}
	s.slots[name] = sl
}

// addAllSlots serves a client that asks for every extension; Envoy never does.
func (s *session) addAllSlots() {
	if s.res == nil {
		return
	}
	for name := range s.res.Slots {
		if s.slots[name] == nil {
			s.addSlot(name, "")
			s.watches[extensionIndex].dirty = true
		}
	}
}
