package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/sources"
)

// root is one of the paths that the user gave.
type root struct {
	shown, path string // as the user gave it; absolute
	seen        bool   // it was there once
	folder      bool
	there       bool
	err         string // why it cannot be listed
}

// listAll finds the documents of all roots.
func (t *tree) listAll() {
	for _, r := range t.roots {
		before := *r
		t.list(r)
		t.changed = t.changed || *r != before
	}
}

// list finds the documents of a root.
func (t *tree) list(r *root) {
	info, err := os.Stat(r.path)
	r.there, r.err = err == nil, ""
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return
	}
	if err != nil {
		r.err = readable(err)
		return
	}
	r.seen, r.folder = true, info.IsDir()
	if !r.folder {
		t.add(r.path, r.shown, true) // a symlink or not: its path is watched in any case
		return
	}
	if d := t.documents[r.path]; d != nil {
		delete(t.documents, r.path)
	}
	entries, err := os.ReadDir(r.path)
	if err != nil {
		r.err = readable(err)
		return
	}
	for _, e := range entries {
		if !isDocument(e.Name()) {
			continue
		}
		path := filepath.Join(r.path, e.Name())
		link := e.Type()&fs.ModeSymlink != 0
		if link {
			if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
				continue
			}
		} else if !e.Type().IsRegular() {
			continue
		}
		t.add(path, filepath.Join(r.shown, e.Name()), link)
	}
}

// add takes up a document, if it is new.
func (t *tree) add(path, shown string, link bool) {
	if t.documents[path] == nil {
		t.documents[path] = &document{watched: watched{path: path, keep: true, most: sources.MaxBytes}, shown: shown}
	}
	t.documents[path].link = t.documents[path].link || link
}

func (t *tree) isRoot(path string) bool {
	return slices.ContainsFunc(t.roots, func(r *root) bool { return r.path == path && !r.folder })
}

// rootProblems says what is wrong with a path that the user gave. A path that was never there may yet come, so what it
// held in an earlier run stays; one that was there and is gone was deleted, and the Problem has a Key that no object has.
func (t *tree) rootProblems(r *root) []snapshot.Broken {
	switch {
	case r.err != "" && (r.folder || t.documents[r.path] == nil):
		return []snapshot.Broken{broken(r.shown, r.err, "")}
	case r.there:
		return nil
	case !r.seen:
		return []snapshot.Broken{broken(r.shown, "no such file or folder", "graft reads it as soon as it is there")}
	case t.lingers(r):
		return nil
	}
	gone := broken(r.shown, "it was deleted, and all that it held is out of force", "graft reads it again as soon as it is there")
	gone.Key = snapshot.Key{Kind: "Path", Namespace: "default", Name: r.shown}
	return []snapshot.Broken{gone}
}

// lingers tells whether something of a root that is not there is not yet taken for gone.
func (t *tree) lingers(r *root) bool {
	for path, d := range t.documents {
		if (path == r.path || filepath.Dir(path) == r.path) && !d.gone {
			return true
		}
	}
	return false
}
