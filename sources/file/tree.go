package file

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/sources"
)

// tree is everything that is read: the roots, the documents in them, and the files that documents point to.
type tree struct {
	options    Options
	decoder    *sources.Decoder
	log        *zap.Logger
	roots      []*root
	documents  map[string]*document // by absolute path
	references map[string]*watched  // by absolute path
	changed    bool                 // since the last set
}

// document is a file with documents.
type document struct {
	watched
	shown  string
	link   bool // it is reached by a symlink
	memory sources.Memory
	good   []snapshot.Document
	refs   [][]sources.Reference // of each good document
	broken []snapshot.Broken
}

func newTree(o Options, d *sources.Decoder, log *zap.Logger) (*tree, error) {
	t := &tree{options: o, decoder: d, log: log, documents: map[string]*document{}, references: map[string]*watched{}, changed: true}
	for _, path := range o.Paths {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return nil, fmt.Errorf("path %q: %w", path, err)
		}
		t.roots = append(t.roots, &root{shown: filepath.Clean(path), path: absolute})
	}
	return t, nil
}

// look looks at what there is news of, and at everything that is not believed yet. It gives the time after which to look
// again; 0 if there is no need.
func (t *tree) look(now time.Time, news news) time.Duration {
	var again time.Duration
	all := news.all || t.anyNew(news.names)
	due := func(w *watched) bool { return all || w.waiting || !w.known || news.names[filepath.Base(w.path)] }
	see := func(w *watched) verdict {
		v := w.look(now, &t.options)
		if v.wait > 0 && (again == 0 || v.wait < again) {
			again = v.wait
		}
		if v.forced {
			t.log.Warn("read a file that is still open for writing", zap.String("file", w.path))
		}
		t.changed = t.changed || v.changed
		return v
	}
	if all {
		t.listAll()
	}
	for path, d := range t.documents {
		if !due(&d.watched) {
			continue
		}
		if see(&d.watched).changed {
			t.decode(d)
		}
		if d.gone && !t.isRoot(path) {
			delete(t.documents, path)
			t.changed = true
		}
	}
	if all || t.changed {
		t.refer()
	}
	for _, w := range t.references {
		if due(w) {
			see(w)
		}
	}
	return again
}

// anyNew tells whether a name is not that of a file which is looked at already: then it may be a new one, or a symlink or
// a folder on the way to many.
func (t *tree) anyNew(names map[string]bool) bool {
	if len(names) == 0 {
		return false
	}
	unknown := maps.Clone(names)
	for path := range t.documents {
		delete(unknown, filepath.Base(path))
	}
	for path := range t.references {
		delete(unknown, filepath.Base(path))
	}
	return len(unknown) > 0
}

// refer follows the files that documents point to, and forgets the others.
func (t *tree) refer() {
	wanted := map[string]sources.ReferenceKind{}
	for _, d := range t.documents {
		for _, refs := range d.refs {
			for _, ref := range refs {
				wanted[ref.Path] = max(wanted[ref.Path], ref.Kind)
			}
		}
	}
	for path, kind := range wanted {
		keep := kind == sources.ReferenceContent
		if w := t.references[path]; w == nil || keep && !w.keep {
			t.references[path] = &watched{path: path, keep: keep, most: maxAttached}
		}
	}
	for path := range t.references {
		if _, ok := wanted[path]; !ok {
			delete(t.references, path)
		}
	}
}

// decode decodes what was read.
func (t *tree) decode(d *document) {
	d.good, d.refs, d.broken = nil, nil, nil
	if info, err := os.Lstat(d.path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		d.link = true
	}
	switch {
	case d.gone:
	case d.err != "":
		d.broken = []snapshot.Broken{broken(d.shown, d.err, "")}
	default:
		d.good, d.broken = t.decoder.Decode(d.shown, d.data, sources.DecodeOptions{Dir: filepath.Dir(d.path), Memory: &d.memory})
	}
	d.data = nil
	for i := range d.good {
		d.refs = append(d.refs, sources.References(&d.good[i]))
	}
}

// broken is a file, or a folder, that cannot be read.
func broken(file, what, hint string) snapshot.Broken {
	return snapshot.Broken{Problem: snapshot.Problem{Origin: snapshot.Origin{File: file}, Code: sources.CodeUnreadable, What: what, Hint: hint}}
}

// unread tells whether there is a file that was not read yet because it is being written.
func (t *tree) unread() bool {
	for _, d := range t.documents {
		if !d.known {
			return true
		}
	}
	for _, w := range t.references {
		if !w.known {
			return true
		}
	}
	return false
}

// steady tells whether every file that is reached by a symlink still looks as it did when it was read.
func (t *tree) steady() bool {
	for path, d := range t.documents {
		if !d.link || d.waiting || !d.known || d.err != "" {
			continue
		}
		if info, err := os.Stat(path); err != nil || info.Mode().IsRegular() && stampOf(info) != d.stamp {
			return false
		}
	}
	return true
}

// paths gives every path on which something could be replaced; the plain files of a folder are noticed in the folder.
func (t *tree) paths() []string {
	var out []string
	for _, r := range t.roots {
		out = append(out, r.path)
	}
	for path, d := range t.documents {
		if d.link {
			out = append(out, path)
		}
	}
	for path := range t.references {
		out = append(out, path)
	}
	return out
}
