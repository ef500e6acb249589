package file

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/sources"
)

// set gives what is believed, and a hash over it, so that nothing is sent twice.
func (t *tree) set() (sources.Set, string) {
	set, sum := sources.Set{Source: name}, sha256.New()
	ordered := t.ordered()
	held := certain(ordered)
	for _, d := range ordered {
		_, _ = sum.Write(append([]byte(d.shown), d.sum[:]...))
		if !d.known {
			set.Broken = append(set.Broken, broken(d.shown, "somebody is still writing it", "it is read as soon as it is closed"))
		}
		set.Broken = append(set.Broken, d.broken...)
		for i := range d.good {
			if d.leaving() && held[d.good[i].Key] {
				continue
			}
			doc := d.good[i]
			doc.Files = t.files(d.refs[i])
			for _, ref := range d.refs[i] {
				f := doc.Files[ref.Path]
				fmt.Fprintf(sum, "%q %q %q %x\n", ref.Path, f.Stamp, f.Err, sha256.Sum256(f.Data))
			}
			set.Documents = append(set.Documents, doc)
			_, _ = io.WriteString(sum, doc.Key.Name) // which one is left out while its file is leaving
		}
	}
	for _, r := range t.roots {
		set.Broken = append(set.Broken, t.rootProblems(r)...)
	}
	for _, b := range set.Broken {
		fmt.Fprintf(sum, "%q %q\n", b.Key, b.Problem)
	}
	return set, hex.EncodeToString(sum.Sum(nil))
}

// certain gives the keys that files hold which are there for certain.
func certain(documents []*document) map[snapshot.Key]bool {
	held := map[snapshot.Key]bool{}
	for _, d := range documents {
		for i := range d.good {
			held[d.good[i].Key] = held[d.good[i].Key] || !d.leaving()
		}
	}
	return held
}

// leaving tells whether the file is not there, but not yet taken for gone. If it was renamed, another file has its
// documents already.
func (d *document) leaving() bool { return d.waiting && d.seen == (stamp{}) }

func (t *tree) ordered() []*document {
	var out []*document
	for _, d := range t.documents {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *document) int { return cmp.Or(cmp.Compare(a.shown, b.shown), cmp.Compare(a.path, b.path)) })
	return out
}

// files gives what the references of a document point to.
func (t *tree) files(refs []sources.Reference) map[string]snapshot.File {
	if len(refs) == 0 {
		return nil
	}
	out := make(map[string]snapshot.File, len(refs))
	for _, ref := range refs {
		switch w := t.references[ref.Path]; {
		case w == nil || !w.known:
			out[ref.Path] = snapshot.File{Err: fmt.Sprintf("somebody is still writing %s", ref.Path)}
		case w.err != "":
			out[ref.Path] = snapshot.File{Err: fmt.Sprintf("cannot read %s: %s", ref.Path, w.err)}
		case ref.Kind == sources.ReferenceModule:
			out[ref.Path] = snapshot.File{Stamp: w.stamp.String()}
		default:
			out[ref.Path] = snapshot.File{Data: w.data, Stamp: w.stamp.String()}
		}
	}
	return out
}
