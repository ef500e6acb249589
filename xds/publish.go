package xds

import (
	"maps"
	"slices"
	"sync"
	"weak"

	"github.com/graft-xds/graft/snapshot"
)

// published is what the proxies get now. It is immutable.
type published struct {
	config *snapshot.Config
	result *snapshot.Result
	epoch  uint64
}

// Publish replaces what the proxies get, and wakes the streams of those for which something changed. It does not wait for
// them. One call at a time; cfg and res are not written to afterwards.
func (s *Server) Publish(cfg *snapshot.Config, res *snapshot.Result) {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	epoch := uint64(1)
	if before := s.published.Load(); before != nil {
		epoch = before.epoch + 1
	}
	s.catalog.add(res.Groups)
	s.press.keep(res.Groups)
	s.published.Store(&published{cfg, res, epoch})

	memo := map[[2]*snapshot.Resources]difference{}
	for _, one := range s.sessions() {
		one.mu.Lock()
		one.republish(memo)
		one.mu.Unlock()
	}
}

// republish takes over what was published. Most sessions share a group, so groups are compared once.
func (s *session) republish(memo map[[2]*snapshot.Resources]difference) {
	now := s.server.published.Load()
	if !s.known || s.epoch >= now.epoch {
		return
	}
	if s.placed == nil || s.placed.Selection != now.config.Selection {
		if s.next != nil && s.next.selection == now.config.Selection {
			s.group, s.placed = s.next.group, now.config // computed for the Build
		}
		s.place()
		s.ring()
		return
	}
	s.placed, s.epoch, s.next = now.config, now.epoch, nil
	res := now.result.Groups[s.group.Key]
	switch {
	case res == nil:
		s.server.signal()
	case res != s.res:
		key := [2]*snapshot.Resources{s.res, res}
		d, ok := memo[key]
		if !ok {
			d = compareResources(s.res, res)
			memo[key] = d
		}
		if s.adopt(res, d) {
			s.ring()
		}
		s.place() // slots that nobody named may be known to be foreign now
	}
}

// difference is what is new in a group's resources.
type difference struct {
	types [typeCount]bool
	slots map[string]bool
}

func compareResources(old, now *snapshot.Resources) difference {
	d := difference{slots: map[string]bool{}}
	if old == nil {
		old = &snapshot.Resources{}
	}
	for i, typeURL := range typeURLs() {
		d.types[i] = !slices.Equal(old.Types[typeURL], now.Types[typeURL])
	}
	for name, content := range now.Slots {
		d.slots[name] = old.Slots[name] != content
	}
	maps.DeleteFunc(d.slots, func(_ string, changed bool) bool { return !changed })
	return d
}

// adopt takes a group's new resources, and tells whether the client may have to hear of it.
func (s *session) adopt(res *snapshot.Resources, d difference) bool {
	first := s.res == nil
	s.res = res
	news := false
	for i, w := range s.watches {
		if w == nil {
			continue
		}
		changed := first || d.types[i]
		if i == extensionIndex {
			if w.sub.IsWildcard() {
				s.addAllSlots()
			}
			for name := range s.slots {
				changed = changed || d.slots[name]
			}
		}
		if changed {
			w.dirty, news = true, true
		}
	}
	return news
}

// catalog finds contents again by revision, as long as anybody holds them: a proxy that comes back tells only a version.
type catalog struct {
	mu       sync.Mutex
	contents map[[2]string]weak.Pointer[snapshot.Content]
}

func newCatalog() *catalog {
	return &catalog{contents: map[[2]string]weak.Pointer[snapshot.Content]{}}
}

func (c *catalog) add(groups map[string]*snapshot.Resources) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.contents, func(_ [2]string, p weak.Pointer[snapshot.Content]) bool { return p.Value() == nil })
	for _, group := range groups {
		for name, content := range group.Slots {
			c.contents[[2]string{name, content.Revision}] = weak.Make(content)
		}
	}
}

// find gives nil for a revision that is not known any more.
func (c *catalog) find(slot, revision string) *snapshot.Content {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.contents[[2]string{slot, revision}].Value()
}
