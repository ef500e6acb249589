package snapshot

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// slotsOf makes the contents of declared slots: "a . !b" is a, an unused slot, and a deny for b.
func slotsOf(text string) map[string]*Content {
	names := strings.Fields(text)
	contents := map[string]*Content{}
	for i, name := range names {
		slot := declaredName("graft/web", i+1, len(names))
		var parts []part
		if filter, denied := strings.CutPrefix(name, "!"); denied {
			parts = []part{{key: order(filter)[0]}}
		} else if name != "." {
			parts = []part{{key: order(name)[0], form: luaForm(name)}}
		}
		contents[slot] = newContent(slot, false, parts, Options{})
	}
	return contents
}

// luaForm makes the form of a filter; in upper case it fails open, so it is a module.
func luaForm(name string) *form {
	f := &Filter{Key: order(name)[0], Hash: name, Phase: PhaseDefault, Lua: name}
	if strings.ToUpper(name) == name {
		f.Lua, f.Wasm = "", &Wasm{OnFailure: "open"}
		return newForm(f, &Module{Digest: "sha256:00"})
	}
	return newForm(f, nil)
}

// walk follows NextSlot and gives the slots in the order they are written.
func walk(t *testing.T, have, want map[string]*Content, each func()) string {
	t.Helper()
	var steps []string
	for range 2 * maxDeclared {
		slot, ok := NextSlot(have, want)
		if !ok {
			return strings.Join(steps, " ")
		}
		have[slot] = want[slot]
		steps = append(steps, fmt.Sprint(parseSlotName(slot).index))
		each()
	}
	t.Fatalf("the way has no end: %v", steps)
	return ""
}

func TestNextSlot(t *testing.T) {
	for _, c := range []struct{ why, have, want, steps string }{
		{"nothing to do", "a . b", "a . b", ""},
		{"everything is new", ". . .", "a b .", "1 2"},
		{"new filters before emptied slots", "a . .", ". b c", "2 3 1"},
		{"a move stands twice for a moment", "a b .", ". b a", "3 1"},
		{"a filter waits until its place is free", "a b .", ". a b", "3 2 1"},
		{"an edit in place and a removal", "a b", "c .", "1 2"},
		{"a deny comes before others go", "a b .", "a . !c", "3 2"},
		{"a deny goes last", "!a . b", ". c a", "2 3 1"},
		{"a deny makes room for what it stood for", "!a b", "a b", "1"},
		{"without a spare slot the later is written over", "a b", "b a", "2 1"},
		{"without a spare slot what fails open is written over", "A b", "b A", "1 2"},
	} {
		t.Run(c.why, func(t *testing.T) {
			if got := walk(t, slotsOf(c.have), slotsOf(c.want), func() {}); got != c.steps {
				t.Errorf("writes %s; want %s", got, c.steps)
			}
		})
	}
}

// TestNextSlotNeverDrops follows random edits of declared slots, placed by assign: wherever a way exists, every filter that
// is in both is there at every step.
func TestNextSlotNeverDrops(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	letters := strings.Fields("a b c d e f g h i j")
	for range 2000 {
		n := 1 + r.IntN(8)
		pick := func() []Key {
			var keys []Key
			for _, at := range r.Perm(len(letters))[:r.IntN(n+1)] {
				keys = append(keys, order(letters[at])[0])
			}
			return keys
		}
		before := assign(nil, pick(), n)
		after := assign(before, pick(), n)
		have, want := slotsOf(before.text()), slotsOf(after.text())
		circle := circular(before, after)
		walk(t, have, want, func() {
			for _, key := range after {
				if circle || key == (Key{}) || !slices.Contains(before, key) {
					continue
				}
				stands := false
				for _, content := range have {
					stands = stands || slices.Contains(content.keys(), key)
				}
				if !stands {
					t.Fatalf("from %s to %s: %s is nowhere", before.text(), after.text(), key.Name)
				}
			}
		})
		for slot, content := range want {
			if have[slot].Revision != content.Revision {
				t.Fatalf("from %s to %s: %s is not as wanted", before.text(), after.text(), slot)
			}
		}
	}
}
