package snapshot

import (
	"strings"
	"testing"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

func TestMatchGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"edge", "edge", true},
		{"edge", "edge-1", false},
		{"edge-*", "edge-1", true},
		{"edge-*", "edge-", true},
		{"edge-*", "edge", false},
		{"*-edge", "a-edge", true},
		{"*", "", true},
		{"a*b*c", "a1b2c", true},
		{"a*b*c", "a1c2b", false},
		{"a*b", "ab", true},
		{"ab*b", "ab", false},
		{"a*aa", "aaa", true},
		{"*a*", "xax", true},
		{"**", "x", true},
		{"a.c", "abc", false},
		{"", "", true},
	} {
		if got := matchGlob(c.pattern, c.s); got != c.want {
			t.Errorf("%q, %q: %v", c.pattern, c.s, got)
		}
	}
}

func FuzzMatchGlob(f *testing.F) {
	f.Add("a*b*c", "a1b2c")
	f.Add("*aa*a", "aaa")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 20 || len(s) > 20 {
			return
		}
		if got, want := matchGlob(pattern, s), globByTrial(pattern, s); got != want {
			t.Errorf("%q, %q: %v, want %v", pattern, s, got, want)
		}
	})
}

// globByTrial tries every length of each run.
func globByTrial(pattern, s string) bool {
	switch {
	case pattern == "":
		return s == ""
	case pattern[0] == '*':
		for i := range len(s) + 1 {
			if globByTrial(strings.TrimLeft(pattern, "*"), s[i:]) {
				return true
			}
		}
		return false
	default:
		return s != "" && s[0] == pattern[0] && globByTrial(pattern[1:], s[1:])
	}
}

func TestSlotName(t *testing.T) {
	for name, want := range map[string]slotName{
		"graft/web":          {base: "graft/web"},
		"graft/web/3-of-8":   {base: "graft/web", index: 3, of: 8},
		"own":                {base: "own"},
		"own/1-of-1":         {base: "own", index: 1, of: 1},
		"graft/web/0-of-8":   {base: "graft/web/0-of-8"},
		"graft/web/9-of-8":   {base: "graft/web/9-of-8"},
		"graft/web/03-of-8":  {base: "graft/web/03-of-8"},
		"graft/web/+3-of-8":  {base: "graft/web/+3-of-8"},
		"graft/web/1-of-65":  {base: "graft/web/1-of-65"},
		"graft/web/3-of-8/":  {base: "graft/web/3-of-8/"},
		"/1-of-2":            {base: "", index: 1, of: 2},
		"graft/a/b/2-of-2":   {base: "graft/a/b", index: 2, of: 2},
		"graft/web/3 - of-8": {base: "graft/web/3 - of-8"},
	} {
		if got := parseSlotName(name); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// TestPlace checks what moves a proxy to another group, and what does not.
func TestPlace(t *testing.T) {
	cfg := &Config{
		Filters: []*Filter{
			{Key: order("all")[0], Targets: []Target{{}}},
			{Key: order("edge")[0], Targets: []Target{{Nodes: &graftv1alpha1.NodeSelector{Id: "edge-*"}}, {Listeners: []string{"x"}}}},
			{Key: order("gold")[0], Targets: []Target{{Nodes: &graftv1alpha1.NodeSelector{MatchLabels: map[string]string{"tier": "gold"}}}}},
		},
		Proxies: []*Proxy{{Spec: &graftv1alpha1.ProxySpec{Nodes: &graftv1alpha1.NodeSelector{Cluster: "c"}}}},
	}
	node := Node{ID: "edge-1", Cluster: "c", Labels: map[string]string{"tier": "gold", "x": "y"}, Traits: Traits{FilterChain: true, Wasm: true, Extensions: true, Version: "1.40.0"}}
	place := func(edit func(*Node), foreign ...string) string {
		n := node
		edit(&n)
		return cfg.Place(n, foreign, "").Key
	}
	key := place(func(*Node) {})
	for name, same := range map[string]string{
		"another id that the same selectors match": place(func(n *Node) { n.ID = "edge-2" }),
		"another version":                          place(func(n *Node) { n.Traits.Version = "1.39.3" }),
		"another label":                            place(func(n *Node) { n.Labels = map[string]string{"tier": "gold"} }),
	} {
		if same != key {
			t.Errorf("%s is another group", name)
		}
	}
	foreign := place(func(*Node) {}, "b", "a")
	for name, other := range map[string]string{
		"another id":      place(func(n *Node) { n.ID = "inner" }),
		"another cluster": place(func(n *Node) { n.Cluster = "d" }),
		"no label":        place(func(n *Node) { n.Labels = nil }),
		"declared slots":  place(func(n *Node) { n.Traits.FilterChain = false }),
		"no Wasm":         place(func(n *Node) { n.Traits.Wasm = false }),
		"a foreign slot":  place(func(*Node) {}, "a"),
	} {
		if other == key || other == foreign {
			t.Errorf("%s is the same group", name)
		}
	}
	if place(func(*Node) {}, "a", "b", "a") != foreign {
		t.Error("the order of foreign slots makes another group")
	}
	if group := cfg.Place(node, []string{"b", "a", "b"}, "old"); strings.Join(group.Foreign, " ") != "a b" || group.Previous != "old" {
		t.Errorf("group %+v", group)
	}
}

func TestWanted(t *testing.T) {
	module := func(name, location string) *Filter {
		return &Filter{Key: order(name)[0], Wasm: &Wasm{Module: Ref{Location: location, Stamp: "1"}}}
	}
	cfg := &Config{Filters: []*Filter{module("b", "/b"), module("a", "/a"), module("c", "/a"), {Key: order("lua")[0], Lua: "x"}}}
	memory := Memory{Forms: map[Key]Form{
		order("a")[0]:    {Module: "sha256:00"},
		order("lua")[0]:  {},
		order("gone")[0]: {Module: "sha256:11"},
	}}
	var got []string
	for _, ref := range Wanted(cfg, memory) {
		got = append(got, ref.Location+ref.SHA256)
	}
	if strings.Join(got, " ") != "00 /a /b" {
		t.Errorf("wanted %v", got)
	}
}
