package xds

import (
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/graft-xds/graft/snapshot"
)

// Verdict says that a proxy refused a revision of a slot. It holds for that proxy as long as it runs the same Envoy, also
// after a restart of graft: Envoy ACKs refused bytes when they come a second time, and goes on without them.
type Verdict struct {
	Node     string // id
	Envoy    string // its version
	Slot     string
	Revision string
	Text     string // Envoy's own words
	At       time.Time

	// Mended tells that the slot took something since. Until then Envoy also refuses every listener that names the slot.
	Mended bool
	Good   *Good // what served when the revision was refused; nil: nothing, or not known
}

// Good is a content that a proxy ACKed. Equal slot and revision mean equal bytes, so a store keeps them once.
type Good struct {
	Revision string
	Body     []byte // of the resource in its first, inline form; never written to
}

// Ledger keeps verdicts beyond the life of the process. Calls may overlap.
type Ledger interface {
	// Load gives what was saved, once, at the start. Verdicts that no proxy has asked about for long may be left out.
	Load() ([]Verdict, error)
	// Save adds a verdict, or replaces the one about the same node, Envoy, slot and revision.
	Save(Verdict) error
}

// verdict is a Verdict with the good content itself, if this process has it. Only Mended and Good.Body change; the book
// guards them.
type verdict struct {
	Verdict
	content *snapshot.Content
}

// proxyKey is whose verdicts count for a session.
type proxyKey struct{ node, envoy string }

func (s *session) proxyKey() proxyKey { return proxyKey{s.node.ID, s.node.Traits.Version} }

// maxVerdicts bounds what is remembered of one slot of one proxy; the oldest go first.
const maxVerdicts = 32

// book holds the verdicts that are in force.
type book struct {
	mu     sync.Mutex
	bySlot map[proxyKey]map[string][]*verdict // by slot, oldest first
}

func newBook() *book { return &book{bySlot: map[proxyKey]map[string][]*verdict{}} }

func (b *book) add(v *verdict) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := proxyKey{v.Node, v.Envoy}
	if b.bySlot[key] == nil {
		b.bySlot[key] = map[string][]*verdict{}
	}
	list := slices.DeleteFunc(b.bySlot[key][v.Slot], func(old *verdict) bool { return old.Revision == v.Revision })
	if len(list) >= maxVerdicts {
		list = slices.Delete(list, 0, 1)
	}
	b.bySlot[key][v.Slot] = append(list, v)
}

// find gives the newest verdict on a slot that is as asked for.
func (b *book) find(key proxyKey, slot string, is func(*verdict) bool) *verdict {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, v := range slices.Backward(b.bySlot[key][slot]) {
		if is(v) {
			return v
		}
	}
	return nil
}

// about gives the verdict on a revision.
func (b *book) about(key proxyKey, slot, revision string) *verdict {
	return b.find(key, slot, func(v *verdict) bool { return v.Revision == revision })
}

// standing gives the newest verdict after which the slot has taken nothing yet.
func (b *book) standing(key proxyKey, slot string) *verdict {
	return b.find(key, slot, func(v *verdict) bool { return !v.Mended })
}

// goodOf gives a verdict that knows the content of a revision as a good one.
func (b *book) goodOf(key proxyKey, slot, revision string) *verdict {
	return b.find(key, slot, func(v *verdict) bool { return v.Good != nil && v.Good.Revision == revision })
}

// mended marks all verdicts on a slot, and gives those that were not.
func (b *book) mended(key proxyKey, slot string) []*verdict {
	b.mu.Lock()
	defer b.mu.Unlock()
	var changed []*verdict
	for _, v := range b.bySlot[key][slot] {
		if !v.Mended {
			v.Mended = true
			changed = append(changed, v)
		}
	}
	return changed
}

// load fills the book from the ledger. What cannot be read costs no proxy its configuration.
func (s *Server) load() {
	if s.options.Ledger == nil {
		return
	}
	saved, err := s.options.Ledger.Load()
	if err != nil {
		s.options.Logger.Warn("verdicts of an earlier run cannot be read; going on without them", zap.Error(err))
	}
	slices.SortStableFunc(saved, func(a, b Verdict) int { return a.At.Compare(b.At) })
	for _, v := range saved {
		s.verdicts.add(&verdict{Verdict: v})
	}
}

// save writes a verdict down, with the bytes of the good content.
func (s *Server) save(v *verdict) {
	if s.options.Ledger == nil {
		return
	}
	var body []byte
	if v.content != nil {
		body = s.press.inline(v.content, "").Body
	}
	s.verdicts.mu.Lock()
	out := v.Verdict
	s.verdicts.mu.Unlock()
	if body != nil {
		out.Good = &Good{Revision: out.Good.Revision, Body: body}
	}
	if err := s.options.Ledger.Save(out); err != nil {
		s.options.Logger.Warn("verdict cannot be saved", zap.String("node", v.Node), zap.String("slot", v.Slot), zap.Error(err))
	}
}

// restamp makes bytes of an earlier process unique; nil if that cannot be done.
func (s *Server) restamp(slot string, good Good, attempt string) *snapshot.Resource {
	if s.options.Restamp == nil || good.Body == nil {
		return nil
	}
	r, err := s.options.Restamp(slot, good, attempt)
	if err != nil {
		s.options.Logger.Warn("last good content cannot be sent again", zap.String("slot", slot), zap.Error(err))
		return nil
	}
	return r
}
