package xds

import (
	"sync"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"github.com/graft-xds/graft/snapshot"
)

// session is what is known of the proxy behind one stream, and what decides what goes out on it. One goroutine hears, one
// sends; Publish, Groups and Proxies look in from others, so mu guards all but the first fields.
type session struct {
	server *Server
	delta  bool
	only   string // type URL of a separate service; empty on ADS
	since  time.Time

	mu    sync.Mutex
	node  snapshot.Node
	known bool // the node was told
	token string

	group    snapshot.Group
	placed   *snapshot.Config // that group was computed for
	next     *placement       // that Groups computed for the next Config
	res      *snapshot.Resources
	pending  bool   // res is not, or not all, of group, which has to be built
	epoch    uint64 // of the published state that was adopted last
	watches  [typeCount]*watch
	slots    map[string]*slot
	reported bool // the client told of a version on this stream: it is not a fresh one
	heals    int  // how many times a slot that stood refused took something
	strange  int  // requests for types that graft does not serve

	inlineUntil time.Time // the proxy did not come for a module that it was to fetch

	knock  func() // has the stream take what goes out; nil after it ended
	rung   bool   // it was told and has not begun
	closed bool
	alarm  func() bool
	wakeAt time.Time
	later  []func() // to be done without mu: I/O
}

func newSession(s *Server, delta bool, only string) *session {
	return &session{server: s, delta: delta, only: only, since: s.options.Clock.Now()}
}

// meet takes the node from the first request that has one.
func (s *session) meet(n *corev3.Node) {
	if n == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.known {
		s.known, s.node = true, readNode(n)
		s.token = tokenOf(s.node.ID)
	}
}

// typeOf gives the type of a request: that of the service where it goes without saying. The string is ours, so that no
// stream keeps one of its own.
func (s *session) typeOf(typeURL string) string {
	if typeURL == "" {
		return s.only
	}
	if index := typeIndex(typeURL); index >= 0 {
		return typeURLs()[index]
	}
	return typeURL
}

// ring makes the stream ask take what goes out. mu is held.
func (s *session) ring() {
	if s.knock != nil && !s.rung {
		s.rung = true
		s.knock()
	}
}

// open is called once the stream can be rung.
func (s *session) open(knock func()) {
	s.mu.Lock()
	s.knock = knock
	s.mu.Unlock()
	s.server.join(s)
}

// close is called as the stream ends; afterwards nothing rings it any more.
func (s *session) close() {
	s.server.leave(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knock, s.closed = nil, true
	if s.alarm != nil {
		s.alarm()
		s.alarm = nil
	}
	if w := s.watches[extensionIndex]; w != nil && w.flight != nil && !w.flight.remote {
		s.server.memories.unsettled(s.node.ID, w.flight.slot.name, w.flight.version)
	}
}

// awake makes the session look again at t. mu is held.
func (s *session) awake(t time.Time) {
	if s.alarm != nil {
		if !t.Before(s.wakeAt) {
			return
		}
		s.alarm()
	}
	s.wakeAt = t
	s.alarm = s.server.options.Clock.AfterFunc(t.Sub(s.server.options.Clock.Now()), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.alarm = nil
		s.ring()
	})
}

// take decides what goes out next; nil if nothing does. The one who sends calls it until then. What it gives is recorded
// as being on its way.
func (s *session) take() *frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rung = false
	if s.closed {
		return nil
	}
	return s.decide()
}

// sent is called as the frame gets its nonce, before the bytes leave.
func (s *session) sent(f *frame, nonce string) {
	s.mu.Lock()
	f.nonce, f.flight.nonce, f.flight.watch.nonce = nonce, nonce, nonce
	s.mu.Unlock()
	s.server.counters.pushed(f.flight.watch.index, f.size())
}

// finish does what was put off while mu was held.
func (s *session) finish() {
	s.mu.Lock()
	later := s.later
	s.later = nil
	s.mu.Unlock()
	for _, f := range later {
		f()
	}
}

func (s *session) now() time.Time { return s.server.options.Clock.Now() }
