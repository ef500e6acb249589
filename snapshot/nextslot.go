package snapshot

import "cmp"

// NextSlot plans the way of one proxy from what it has ACKed to what is wanted, one slot at a time; false if it is there.
// Contents are the same if their Revision is. A slot is not written over while its filter is wanted elsewhere and stands
// nowhere else yet; so a move has the filter for a moment twice, never not at all. Filters come before slots are emptied,
// and a deny that stands for a filter goes last.
//
// Where all that is left waits for one another in a circle, there is no such way without a spare slot. Then the filter
// that is least missed is written over: one that fails open, else of the last phase, else the last.
func NextSlot(have, want map[string]*Content) (slot string, ok bool) {
	slots := sortedKeys(want)
	standing := map[Key]int{} // how many slots of have hold it
	for _, content := range have {
		for _, key := range content.keys() {
			standing[key]++
		}
	}
	wanted := map[Key]bool{}
	for _, name := range slots {
		for _, key := range want[name].keys() {
			wanted[key] = true
		}
	}
	best, least := "", step{}
	for _, name := range slots {
		if have[name] != nil && have[name].Revision == want[name].Revision {
			continue
		}
		next := stepTo(have[name], want[name], func(key Key) bool { return wanted[key] && standing[key] == 1 })
		if best == "" || next.compare(least) < 0 {
			best, least = name, next
		}
	}
	return best, best != ""
}

// step is what it would mean to write a slot next.
type step struct {
	loses  bool // a filter that is wanted elsewhere would stand nowhere
	missed int  // how much it would be missed
	turn   int  // filters, then emptied slots, then denies that go
}

// stepTo weighs the write of one slot. wantedOnlyHere tells whether a filter is wanted and stands nowhere else.
func stepTo(have, want *Content, wantedOnlyHere func(Key) bool) step {
	var s step
	stays := map[Key]bool{}
	for _, key := range want.keys() {
		stays[key] = true
	}
	for i, key := range have.keys() {
		if stays[key] {
			continue
		}
		if have.Uses[i].Hash == "" {
			s.turn = 2
		}
		if wantedOnlyHere(key) {
			s.loses = true
			s.missed = max(s.missed, have.parts[i].missed())
		}
	}
	if len(want.Uses) == 0 {
		s.turn = max(s.turn, 1)
	}
	return s
}

func (s step) compare(other step) int {
	if s.loses != other.loses {
		if other.loses {
			return -1
		}
		return 1
	}
	if s.loses && s.missed == other.missed {
		return -1 // of equals the later slot
	}
	return cmp.Or(cmp.Compare(s.missed, other.missed), cmp.Compare(s.turn, other.turn))
}

// missed says how much a filter would be missed for a moment: 0 if it may be missing.
func (p *part) missed() int {
	switch {
	case p.raw != nil: // decoded: which phase it is of is not known
		return 1 + int(PhaseStats) - int(PhaseDefault)
	case p.form == nil:
		return int(PhaseStats) + 1
	case p.form.filter.Wasm != nil && p.form.filter.Wasm.OnFailure == "open":
		return 0
	default:
		return 1 + int(PhaseStats) - int(p.form.filter.Phase)
	}
}

// keys names the filters of a content; none for nil.
func (c *Content) keys() []Key {
	if c == nil {
		return nil
	}
	keys := make([]Key, len(c.Uses))
	for i := range c.Uses {
		keys[i] = c.Uses[i].Key
	}
	return keys
}
