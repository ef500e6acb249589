package snapshot

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// order reads "a . b": filters by name, a dot for an unused slot.
func order(text string) SlotOrder {
	var out SlotOrder
	for _, name := range strings.Fields(text) {
		if name == "." {
			out = append(out, Key{})
		} else {
			out = append(out, Key{Kind: kindFilter, Namespace: "default", Name: name})
		}
	}
	return out
}

func (o SlotOrder) text() string {
	names := make([]string, len(o))
	for i, key := range o {
		names[i] = key.Name
		if key == (Key{}) {
			names[i] = "."
		}
	}
	return strings.Join(names, " ")
}

func TestAssign(t *testing.T) {
	for _, c := range []struct{ why, before, filters, want string }{
		{"one filter stands in the middle", ". . . .", "a", ". a . ."},
		{"two leave room before, between and after", ". . . . . . . .", "a b", ". a . . . b . ."},
		{"nothing changes", ". a . b", "a b", ". a . b"},
		{"a new filter takes a free slot where it belongs", ". a . b", "a c b", ". a c b"},
		{"the others stay when one goes", "a b c d", "a c d", "a . c d"},
		{"one takes the place of another", "a b c d", "a x c d", "a x c d"},
		{"a filter that comes first moves as few others as it can", "a b . .", "x a b", "x a . b"},
		{"a swap goes through the spare slot", "a b .", "b a", ". b a"},
		{"a rotation goes through the spare slot", "a b c .", "b c a", ". b c a"},
		{"a reversal leaves one where it is", "a b c .", "c b a", "c b . a"},
		{"without a spare slot a swap cannot be avoided", "a b", "b a", "b a"},
		{"fewer slots than before", "a . . . b", "a b", "a b"},
		{"more slots than before", "a b", "a b c", "a b . c"},
		{"all go", "a b", "", ". ."},
	} {
		t.Run(c.why, func(t *testing.T) {
			got := assign(order(c.before), order(c.filters), len(order(c.want)))
			if got.text() != c.want {
				t.Errorf("%s, then %s: %s; want %s", c.before, c.filters, got.text(), c.want)
			}
		})
	}
}

// TestAssignAgainstAll compares assign with every placement there is, for every order of up to four filters in up to five
// slots: it is free of circles if any is, and none that is free of circles writes fewer slots.
func TestAssignAgainstAll(t *testing.T) {
	letters := strings.Fields("a b c d e f")
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		n := 1 + r.IntN(6)
		before := make(SlotOrder, n)
		for i, at := range r.Perm(6)[:n] {
			if r.IntN(4) > 0 {
				before[i] = order(letters[at])[0]
			}
		}
		var filters []Key
		for _, at := range r.Perm(6)[:r.IntN(n+1)] {
			filters = append(filters, order(letters[at])[0])
		}
		got := assign(before, filters, n)
		if present := slices.DeleteFunc(slices.Clone(got), func(k Key) bool { return k == Key{} }); !slices.Equal(present, filters) {
			t.Fatalf("%s, then %s: %s", before.text(), SlotOrder(filters).text(), got.text())
		}
		best := -1
		for _, other := range placements(filters, n) {
			if !circular(before, other) && (best < 0 || writes(before, other) < best) {
				best = writes(before, other)
			}
		}
		if best >= 0 && (circular(before, got) || writes(before, got) != best) {
			t.Errorf("%s, then %s: %s writes %d, circular %v; the best writes %d",
				before.text(), SlotOrder(filters).text(), got.text(), writes(before, got), circular(before, got), best)
		}
	}
}

func placements(filters []Key, n int) []SlotOrder {
	if len(filters) > n {
		return nil
	}
	if n == 0 {
		return []SlotOrder{{}}
	}
	var all []SlotOrder
	for _, rest := range placements(filters, n-1) {
		all = append(all, append(SlotOrder{{}}, rest...))
	}
	if len(filters) > 0 {
		for _, rest := range placements(filters[1:], n-1) {
			all = append(all, append(SlotOrder{filters[0]}, rest...))
		}
	}
	return all
}

func writes(before, after SlotOrder) int {
	n := 0
	for i := range after {
		if before[i] != after[i] {
			n++
		}
	}
	return n
}

// circular tells by trial whether a placement cannot be reached make-before-break.
func circular(before, after SlotOrder) bool {
	have := slices.Clone(before)
	for !slices.Equal(have, after) {
		wrote := false
		for i := range have {
			held := have[i]
			if held != after[i] && (held == Key{} || !slices.Contains(after, held) || slices.Contains(slices.Delete(slices.Clone(have), i, i+1), held)) {
				have[i] = after[i]
				wrote = true
			}
		}
		if !wrote {
			return true
		}
	}
	return false
}

func BenchmarkAssign(b *testing.B) {
	before := make(SlotOrder, maxDeclared)
	var filters []Key
	for i := range 40 {
		before[i] = order(fmt.Sprintf("f%d", i))[0]
		filters = append([]Key{before[i]}, filters...)
	}
	for b.Loop() {
		assign(before, filters, maxDeclared)
	}
}
