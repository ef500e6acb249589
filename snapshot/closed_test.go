package snapshot

import "testing"

// TestClosedKeepsLast gives closed what Build never should: a slot that nothing names.
func TestClosedKeepsLast(t *testing.T) {
	group := Group{Key: "g", Foreign: []string{"asked"}}
	good := &Resources{Slots: map[string]*Content{"asked": {Slot: "asked"}}}
	bad := &Resources{Slots: map[string]*Content{"asked": {Slot: "asked"}, "stray": {Slot: "stray"}}}
	missing := &Resources{Slots: map[string]*Content{}}
	b := newBuilder(Input{Config: &Config{}})

	if b.closed(&group, good) != good {
		t.Error("what is closed is not kept as it is")
	}
	for _, r := range []*Resources{bad, missing} {
		if kept := b.closed(&group, r); len(kept.Slots) != 0 || len(kept.remarks) != 1 || kept.remarks[0].code != CodeInternal {
			t.Errorf("without a last result: %+v", kept)
		}
	}
	b.last.groups = map[string]*Resources{"g": good}
	if kept := b.closed(&group, bad); kept.Slots["asked"] != good.Slots["asked"] || len(kept.Slots) != 1 {
		t.Errorf("with a last result: %+v", kept)
	}
	b.groups["g"] = b.closed(&group, bad)
	if problems := b.problems(); len(problems) != 1 || problems[0].Code != CodeInternal {
		t.Errorf("problems %v", problems)
	}
}
