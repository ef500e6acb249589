package snapshot

import (
	"maps"
	"slices"
)

// changes are the verdicts that differ from those of the last Build in this process.
type changes struct {
	gone []*verdict // of the last Build
	come []*verdict // of this one; of a filter that changed, one is in each
}

func (c *changes) none() bool { return len(c.gone)+len(c.come) == 0 }

// touch tells whether any of them is about a filter that selects the node. It may say so although the node, being only
// an example of its group, was not selected by a filter that is gone.
func (c *changes) touch(node Node) bool {
	selects := func(v *verdict) bool { return v.newest.targetsFor(node) != nil }
	return slices.ContainsFunc(c.gone, selects) || slices.ContainsFunc(c.come, selects)
}

// idle tells whether nothing at all changed since the last Build.
func (b *builder) idle() bool {
	return b.last.verdicts != nil && b.changes.none() && maps.Equal(b.groups, b.last.groups)
}

// judgeAll judges every filter, and notes what changed.
func (b *builder) judgeAll() {
	filters := b.in.Config.Filters
	paired, gone := pair(filters, b.last.verdicts)
	b.changes.gone = gone
	b.verdicts = paired
	for i, before := range paired {
		v := b.judge(filters[i], before)
		if v == before {
			continue
		}
		b.changes.come = append(b.changes.come, v)
		if before != nil {
			b.changes.gone = append(b.changes.gone, before)
		}
		paired[i] = v
	}
}

// pair finds the verdict of the last Build for each filter, nil if there was none, and those left over. Most filters stand
// where they stood, so only what is between the first and the last difference has to be looked for.
func pair(filters []*Filter, last []*verdict) (paired, left []*verdict) {
	paired = make([]*verdict, len(filters))
	same := func(f *Filter, v *verdict) bool { return f == v.newest || f.Key == v.newest.Key }
	head, most := 0, min(len(filters), len(last))
	for head < most && same(filters[head], last[head]) {
		paired[head] = last[head]
		head++
	}
	tail := 0
	for tail < most-head && same(filters[len(filters)-1-tail], last[len(last)-1-tail]) {
		tail++
		paired[len(filters)-tail] = last[len(last)-tail]
	}
	rest := last[head : len(last)-tail]
	if len(rest) == 0 {
		return paired, nil
	}
	byKey := make(map[Key]*verdict, len(rest))
	for _, v := range rest {
		byKey[v.newest.Key] = v
	}
	for i := head; i < len(filters)-tail; i++ {
		paired[i] = byKey[filters[i].Key]
		delete(byKey, filters[i].Key)
	}
	for _, v := range rest {
		if byKey[v.newest.Key] == v {
			left = append(left, v)
		}
	}
	return paired, left
}
