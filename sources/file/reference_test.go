package file

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/sources"
	"github.com/graft-xds/graft/sources/sourcetest"
)

func wasmFilter(module string) string {
	return "apiVersion: graft.dev/v1alpha1\nkind: Filter\nmetadata: {name: a}\nspec: {wasm: {module: " + module + "}}\n"
}

// fileOf gives the one file that the documents of a set point to.
func fileOf(s sources.Set) snapshot.File {
	for _, d := range s.Documents {
		for _, f := range d.Files {
			return f
		}
	}
	return snapshot.File{}
}

func TestModule(t *testing.T) {
	dir := t.TempDir()
	module := filepath.Join(dir, "build", "a.wasm")
	write(t, filepath.Join(dir, "conf", "a.yaml"), wasmFilter("../build/a.wasm"))
	r := start(t, filepath.Join(dir, "conf"))
	set := r.Await("a=error")
	if got := fileOf(set).Err; got != "cannot read "+module+": no such file" {
		t.Errorf("error: %q", got)
	}
	write(t, module, "one")
	was := fileOf(r.Await("a=module"))
	if was.Stamp == "" || was.Data != nil {
		t.Errorf("file: %+v", was)
	}
	another := func(s sources.Set) bool { return fileOf(s).Stamp != was.Stamp }
	for _, how := range []struct {
		name string
		do   func() error
	}{
		{"in place", func() error { return os.WriteFile(module, []byte("two, longer"), 0o644) }},
		{"renamed", func() error {
			return first(os.WriteFile(module+".tmp", []byte("three"), 0o644), os.Rename(module+".tmp", module))
		}},
		{"removed and written", func() error { return first(os.Remove(module), os.WriteFile(module, []byte("four"), 0o644)) }},
		{"a symlink", func() error {
			return first(os.WriteFile(filepath.Join(dir, "real.wasm"), []byte("five"), 0o644), os.Remove(module), os.Symlink("../real.wasm", module))
		}},
		{"behind the symlink", func() error { return os.WriteFile(filepath.Join(dir, "real.wasm"), []byte("six, longer"), 0o644) }},
		{"the folder anew", func() error {
			return first(os.RemoveAll(filepath.Dir(module)), os.MkdirAll(filepath.Dir(module), 0o755), os.WriteFile(module, []byte("seven"), 0o644))
		}},
	} {
		must(t, how.do())
		set := r.AwaitWhere(how.name, another)
		if f := fileOf(set); f.Err != "" {
			t.Errorf("%s: %q", how.name, f.Err)
		}
		was = fileOf(set)
	}
	must(t, os.Remove(module))
	r.Await("a=error")
}

// A module that a linker is still writing keeps its stamp.
func TestModuleHalfWritten(t *testing.T) {
	dir := t.TempDir()
	module := filepath.Join(dir, "a.wasm")
	write(t, module, "one")
	write(t, filepath.Join(dir, "a.yaml"), wasmFilter("a.wasm"))
	r := start(t, dir)
	was := fileOf(r.Await("a=module")).Stamp
	f, err := os.Create(module)
	must(t, err)
	for range 5 {
		_, err = f.WriteString(strings.Repeat("x", 1000))
		must(t, err)
		r.Quiet(40 * time.Millisecond)
	}
	must(t, f.Close())
	if is := fileOf(r.Next()); is.Stamp == was || is.Err != "" {
		t.Errorf("file: %+v, was %s", is, was)
	}
}

func TestScript(t *testing.T) {
	dir := t.TempDir()
	lua := filepath.Join(dir, "a.lua")
	write(t, lua, "one")
	write(t, filepath.Join(dir, "a.yaml"), "apiVersion: graft.dev/v1alpha1\nkind: Filter\nmetadata: {name: a}\nspec: {lua: {file: a.lua}}\n")
	r := start(t, dir)
	r.Await("a=one")
	write(t, lua, "two")
	r.AwaitThrough("a=two")
	must(t, os.Remove(lua))
	r.AwaitThrough("a=error")
	write(t, lua, strings.Repeat("x", maxAttached+1))
	set := r.AwaitWhere("too large", func(s sources.Set) bool { return strings.Contains(fileOf(s).Err, "more than 1 MiB") })
	if got := fileOf(set).Err; got != "cannot read "+lua+": it has more than 1 MiB" {
		t.Errorf("error: %q", got)
	}
	must(t, os.Remove(lua))
	must(t, os.Mkdir(lua, 0o755))
	r.AwaitWhere("a folder", func(s sources.Set) bool { return strings.HasSuffix(fileOf(s).Err, "it is a folder") })
}

// Files that no document points to any more are nobody's business.
func TestReferenceForgotten(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.wasm"), "one")
	write(t, filepath.Join(dir, "a.yaml"), wasmFilter("a.wasm"))
	r := start(t, dir)
	r.Await("a=module")
	write(t, filepath.Join(dir, "a.yaml"), sourcetest.Filter("a", "1"))
	r.AwaitThrough("a=1")
	write(t, filepath.Join(dir, "a.wasm"), "two")
	r.Quiet(100 * time.Millisecond)
}
