package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every edit of graft.yaml finds its place in the example as it is, and the diffs say what changed.
func TestEditsFitTheExample(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "graft.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	s := &stage{out: page{&out}, dir: t.TempDir()}
	copied := filepath.Join(s.dir, "graft.yaml")
	if err := os.WriteFile(copied, text, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, e := range edits()[:4] {
		save, err := e.change(t.Context(), s)
		if err != nil {
			t.Fatalf("%s: %v", e.title, err)
		}
		if err := save(); err != nil {
			t.Fatal(err)
		}
	}
	after, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(string(text), "value: melon}", "value: honeydew}", 1); string(after) != want {
		t.Errorf("after all edits of graft.yaml:\n%s", after)
	}
	for _, line := range []string{
		"  -     config: {header: hello, value: melon}\n", "  +     config: {header: hello, value: honeydew}\n",
		"  + metadata: {name: lime}\n", "  -   order: {priority: 5}\n", "  +   order: {priority: 15}\n", "  - metadata: {name: lime}\n",
	} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("no %q in:\n%s", line, out.String())
		}
	}
}

func TestRebuildFitsTheSource(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "melon", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), "s.plugin.Value)"); n != 1 {
		t.Errorf("the demo changes one place of melon/main.go, and finds %d", n)
	}
}

func TestRelease(t *testing.T) {
	for text, want := range map[string]string{
		"\nenvoy  version: 9e558093/1.40.0/Clean/RELEASE/BoringSSL\n\n": "1.40.0",
		"something else\n": "something else",
	} {
		if got := release(text); got != want {
			t.Errorf("release(%q) = %q, want %q", text, got, want)
		}
	}
}
