package xds

import (
	"slices"
	"strconv"
	"time"

	"github.com/graft-xds/graft/snapshot"
)

// warmth is how far a proxy is with the modules of a content that it fetches itself. Each round is a push that Envoy
// refuses because a module is not in its cache, and one fetch; the chain before serves on meanwhile.
type warmth struct {
	revision string
	inline   bool      // fetching did not work: this revision goes inline
	misses   int       // refusals in a row without a module that is new in the cache
	missing  int       // modules that were not in the cache at the last push
	waiting  bool      // for a fetch
	arrived  bool      // a fetch ended since the last push
	until    time.Time // when to push again, or, while nothing arrived, to give up
}

const (
	maxMisses = 3
	// settle is how long after the last byte was written the proxy may take to have the module in its cache; it doubles
	// with each miss, as bytes may wait in the kernel for long.
	settle = 100 * time.Millisecond
	// cachedWait is how long to wait for a fetch of modules that the proxy had fetched already: if it refused the content
	// for another reason, no fetch comes.
	cachedWait = 2 * time.Second
	// inlinePause is how long a proxy that did not come for a module is not asked to fetch another: each edit would wait.
	inlinePause = 10 * time.Minute
)

// remotely tells whether a content goes out with its modules left to be fetched: never as the first of a slot, as a
// refusal would open the listener without a filter; and only to a proxy that has the cluster to fetch from.
func (s *session) remotely(p *push) bool {
	sl := p.slot
	if len(p.content.Fetches) == 0 || sl.known == "" || sl.again() || s.now().Before(s.inlineUntil) {
		return false
	}
	if w := sl.warm; w != nil && w.revision == p.content.Revision && w.inline {
		return false
	}
	clusters := s.watches[clusterIndex]
	return clusters != nil && clusters.holds(snapshot.ModulesCluster)
}

func (w *watch) holds(name string) bool {
	if w.exactly != nil {
		_, ok := find(w.exactly, name)
		return ok
	}
	return w.have[name].version != ""
}

// remoteItem renders a content for one proxy: the URLs of the modules tell who fetches. It is small, so it is not shared.
func (s *session) remoteItem(p *push) item {
	w := p.slot.warm
	if w == nil || w.revision != p.content.Revision {
		w = &warmth{revision: p.content.Revision}
		p.slot.warm = w
	}
	now := s.missing(p.content)
	if now < w.missing {
		w.misses = 0
	}
	w.missing, w.waiting, w.arrived = now, false, false
	attempt := s.server.options.Incarnation + "." + strconv.FormatUint(s.server.serial.Add(1), 36) + "r"
	r := s.server.press.render(p.content, snapshot.Variant{Remote: true, Attempt: attempt, Token: s.token})
	return item{r, r.Version}
}

// missing counts the modules that the proxy has not fetched yet, as far as is known.
func (s *session) missing(c *snapshot.Content) int {
	n := 0
	for _, digest := range c.Fetches {
		if !s.server.memories.hasFetched(s.token, digest) {
			n++
		}
	}
	return n
}

// missed is called when the proxy refused a push because it has to fetch a module, or so it is to be hoped.
func (s *session) missed(sl *slot, f *flight) {
	w := sl.warm
	if w == nil || w.revision != f.revision {
		return
	}
	w.misses++
	if w.misses >= maxMisses {
		w.inline = true
		return
	}
	w.waiting = true
	switch {
	case w.arrived:
		w.until = s.now().Add(settle << w.misses)
	case s.missing(f.content) == 0:
		w.until = s.now().Add(cachedWait)
	default:
		w.until = s.now().Add(s.server.options.FetchWait)
	}
}

// waitsForFetch tells whether a push has to wait for a module; it makes sure that the session looks again in time.
func (s *session) waitsForFetch(p *push) bool {
	w := p.slot.warm
	if w == nil || p.content == nil || w.revision != p.content.Revision || !w.waiting {
		return false
	}
	if s.now().Before(w.until) {
		s.awake(w.until)
		return true
	}
	w.waiting = false
	if !w.arrived { // no fetch came: the module server is out of the proxy's reach
		w.inline = true
		if s.missing(p.content) > 0 {
			s.inlineUntil = s.now().Add(inlinePause)
		}
	}
	return false
}

// warming tells whether some slot waits for a fetch.
func (s *session) warming() bool {
	for _, sl := range s.slots {
		if sl.warm != nil && sl.warm.waiting {
			return true
		}
	}
	return false
}

// arrived is called when the proxy has fetched a module.
func (s *session) arrived(digest string) {
	for _, sl := range s.slots {
		c := s.contentOf(sl)
		if sl.warm == nil || c == nil || sl.warm.revision != c.Revision || !slices.Contains(c.Fetches, digest) {
			continue
		}
		sl.warm.arrived = true
		if sl.warm.waiting {
			sl.warm.until = s.now().Add(settle << sl.warm.misses)
		}
		if w := s.watches[extensionIndex]; w != nil {
			w.dirty = true
		}
		s.ring()
	}
}

func (s *session) contentOf(sl *slot) *snapshot.Content {
	if s.res == nil {
		return nil
	}
	return s.res.Slots[sl.name]
}

// Fetched is called when the proxy behind a token has fetched the module with a digest ("sha256:" and hex) to its end.
// It is safe from any goroutine.
func (s *Server) Fetched(token, digest string) {
	s.memories.fetched(token, digest)
	for _, one := range s.sessions() {
		one.mu.Lock()
		if one.token == token {
			one.arrived(digest)
		}
		one.mu.Unlock()
	}
}
