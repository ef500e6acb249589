package snapshot

import "testing"

func TestRestampRendersTheSame(t *testing.T) {
	all := contents()
	metadata := newForm(&Filter{Key: order("m")[0], Hash: "metadata", Native: anyOf(stampFilter("mine"))}, nil)
	all["declared native like the filler"] = newContent("graft/web/1-of-2", false, []part{{key: order("m")[0], form: metadata}}, Options{})
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			want := c.Render(Variant{Attempt: "a/3"})
			got, err := Restamp(c.Slot, c.Revision, c.Render(Variant{}).Body, "a/3")
			if err != nil {
				t.Fatal(err)
			}
			if string(want.Body) != string(got.Body) || want.Version != got.Version || want.Name != got.Name || want.Type != got.Type {
				t.Error("the bytes alone render differently from the content itself")
			}
		})
	}
}

func TestRestampRefuses(t *testing.T) {
	body := contents()["chain"].Render(Variant{}).Body
	for name, c := range map[string]struct {
		slot string
		body []byte
	}{
		"another slot":   {"graft/other", body},
		"not a resource": {"graft/web", []byte{0xff, 0xff}},
		"half of it":     {"graft/web", body[:len(body)/2]},
		"nothing":        {"graft/web", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if r, err := Restamp(c.slot, "r", c.body, "1"); err == nil {
				t.Errorf("made %s", r.Version)
			}
		})
	}
}

func FuzzRestamp(f *testing.F) {
	for _, c := range contents() {
		f.Add(c.Slot, c.Render(Variant{}).Body)
	}
	f.Fuzz(func(t *testing.T, slot string, body []byte) {
		if r, err := Restamp(slot, "r", body, "1"); err == nil && r.Version != "r#1" {
			t.Errorf("version %q", r.Version)
		}
	})
}
