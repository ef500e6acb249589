package snapshot

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

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

// checkClosed checks of every group that the slots its listeners and proxies name are those that are served.
func checkClosed(t testing.TB, groups []Group, result *Result) {
	t.Helper()
	for _, group := range groups {
		resources := result.Groups[group.Key]
		named := slices.Clone(group.Foreign)
		for _, r := range resources.Types[ListenerType] {
			named = append(named, slotsNamedIn(t, r)...)
		}
		slices.Sort(named)
		if diff := cmp.Diff(slices.Compact(named), sortedKeys(resources.Slots)); len(named)+len(resources.Slots) > 0 && diff != "" {
			t.Errorf("group %s: named (-), served (+):\n%s", group.Key, diff)
		}
		for name, content := range resources.Slots {
			if content.Slot != name {
				t.Errorf("slot %s has the content of %s", name, content.Slot)
			}
		}
	}
}

// slotsNamedIn finds them in the text of the resource, so by another way than Build does.
func slotsNamedIn(t testing.TB, r *Resource) []string {
	t.Helper()
	var names []string
	var walk func(v any)
	walk = func(v any) {
		switch is := v.(type) {
		case map[string]any:
			if is["configDiscovery"] != nil {
				names = append(names, is["name"].(string))
			}
			for _, value := range is {
				walk(value)
			}
		case []any:
			for _, value := range is {
				walk(value)
			}
		}
	}
	text, err := protojson.Marshal(unpack(t, r))
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	walk(v)
	return names
}

// unpack gives the message of a resource.
func unpack(t testing.TB, r *Resource) proto.Message {
	t.Helper()
	m, err := (&anypb.Any{TypeUrl: r.Type, Value: r.Body}).UnmarshalNew()
	if err != nil {
		t.Fatal(err)
	}
	return m
}
