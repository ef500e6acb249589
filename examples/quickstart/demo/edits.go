package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/graft-xds/graft/test/filters"
)

// edit is one change that a user makes and saves.
type edit struct {
	title  string
	change func(ctx context.Context, s *stage) (save func() error, err error) // all that takes time, but for the saving
	want   []string                                                           // the values of `hello` afterwards, in order
}

// lime is a second filter, in another language.
const lime = `---
apiVersion: graft.dev/v1alpha1
kind: Filter
metadata: {name: lime}
spec:
  lua:
    code: |
      function envoy_on_response(handle)
        handle:headers():add("hello", "lime")
      end
  order: {priority: 5}
`

func edits() []edit {
	return []edit{
		{"the value changes", replace("value: melon}", "value: honeydew}"), []string{"honeydew"}},
		{"a second filter, in Lua", rewrite(func(text string) string { return text + lime }), []string{"lime", "honeydew"}},
		{"the order is reversed", replace("priority: 5}", "priority: 15}"), []string{"honeydew", "lime"}},
		{"the second filter goes again", rewrite(func(text string) string {
			text, _, _ = strings.Cut(text, lime[:strings.Index(lime, "spec:")])
			return text
		}), []string{"honeydew"}},
		{"the module is built from changed source", rebuild("s.plugin.Value)", `"ripe "+s.plugin.Value)`), []string{"ripe honeydew"}},
	}
}

// replace changes graft.yaml in one place.
func replace(from, to string) func(context.Context, *stage) (func() error, error) {
	return rewrite(func(text string) string { return strings.Replace(text, from, to, 1) })
}

// rewrite changes graft.yaml and saves it as most editors do: in place.
func rewrite(change func(string) string) func(context.Context, *stage) (func() error, error) {
	return func(_ context.Context, s *stage) (func() error, error) {
		path := filepath.Join(s.dir, "graft.yaml")
		return s.rewrite(path, change)
	}
}

// rebuild changes the source of the filter in one place and builds it. The build is done when the clock starts.
func rebuild(from, to string) func(context.Context, *stage) (func() error, error) {
	return func(ctx context.Context, s *stage) (func() error, error) {
		source := filepath.Join(s.dir, "melon")
		save, err := s.rewrite(filepath.Join(source, "main.go"), func(text string) string { return strings.Replace(text, from, to, 1) })
		if err != nil {
			return nil, err
		}
		if err := save(); err != nil {
			return nil, err
		}
		built := filepath.Join(s.dir, "melon.wasm.new")
		if err := filters.Compile(ctx, source, built); err != nil {
			return nil, err
		}
		return func() error { return os.Rename(built, filepath.Join(s.dir, "melon.wasm")) }, nil
	}
}

// rewrite shows what changes in a file and returns the function that saves it.
func (s *stage) rewrite(path string, change func(string) string) (func() error, error) {
	old, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	text := change(string(old))
	if text == string(old) {
		return nil, fmt.Errorf("%s: the edit found nothing to change", path)
	}
	s.out.diff(string(old), text)
	return func() error { return os.WriteFile(path, []byte(text), 0o644) }, nil
}
