package snapshot

import graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"

// Key names an object.
type Key struct {
	Kind      string // "Filter" or "Proxy"
	Namespace string // never empty: "default" where none was written
	Name      string
}

// String gives "Filter default/melon".
func (k Key) String() string { return k.Kind + " " + k.Namespace + "/" + k.Name }

// Position is a place in a file, both counted from 1.
type Position struct{ Line, Column int }

// Document is one object as a source read it: decoded strictly and checked by the rules of the schema, nothing more.
// Exactly one of Filter and Proxy is set. Paths in it (module, lua file, certificates) are absolute: the source resolved
// them against the document's own folder.
type Document struct {
	Origin    Origin
	Key       Key
	Filter    *graftv1alpha1.Filter
	Proxy     *graftv1alpha1.Proxy
	Positions map[string]Position // of each field that was written, by path: "spec.wasm.module"
	Files     map[string]File     // what its paths point to, by absolute path
}

// At gives the origin of one field of the document; the nearest enclosing field that was written stands in for one
// that was not.
func (d *Document) At(field string) Origin {
	o := d.Origin
	o.Object, o.Field = d.Key.String(), field
	for path := field; path != ""; path = parentField(path) {
		if p, ok := d.Positions[path]; ok {
			o.Line, o.Column = p.Line, p.Column
			break
		}
	}
	return o
}

func parentField(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return ""
}

// File is what a path in a document points to.
type File struct {
	Data  []byte // content of scripts and certificates; nil for modules, which the module package reads
	Stamp string // changes whenever the file does; part of a module's Ref
	Err   string // why it could not be read; empty if it could
}

// Broken is an object that its source could not read. Its last form stays in force until it is mended or gone.
type Broken struct {
	Key     Key // zero where not even the name could be read: then every object that was last read from the file (or the folder) of the Problem stays
	Problem Problem
}
