package sources

import (
	"path/filepath"
	"slices"
	"strings"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
	"github.com/graft-xds/graft/snapshot"
)

// ReferenceKind says what graft reads a file for.
type ReferenceKind int

// The kinds of references.
const (
	ReferenceModule  ReferenceKind = iota // a Wasm module: only its stamp matters to a source
	ReferenceContent                      // a script or a certificate: the source reads it
)

// Reference is a file that a document points to.
type Reference struct {
	Field string // path of the field: "spec.wasm.module"
	Path  string // absolute, if the document was decoded with a Dir
	Kind  ReferenceKind
}

// References lists the files that a document points to, in the order of its fields.
func References(doc *snapshot.Document) []Reference {
	var out []Reference
	eachPath(doc, func(field string, path *string, kind ReferenceKind) {
		out = append(out, Reference{Field: field, Path: *path, Kind: kind})
	})
	return out
}

// resolve makes the paths of a document absolute.
func resolve(doc *snapshot.Document, dir string) {
	eachPath(doc, func(_ string, path *string, _ ReferenceKind) {
		*path = strings.TrimPrefix(*path, "file://")
		if !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
		*path = filepath.Clean(*path)
	})
}

type pathVisitor func(field string, path *string, kind ReferenceKind)

// eachPath visits every field that holds a path and is not empty.
func eachPath(doc *snapshot.Document, do pathVisitor) {
	visit := func(field string, path *string, kind ReferenceKind) {
		if *path != "" {
			do(field, path, kind)
		}
	}
	if doc.Filter != nil {
		filterPaths(doc.Filter.GetSpec(), visit)
	}
	for i, l := range doc.Proxy.GetSpec().GetListeners() {
		if t, at := l.GetTls(), item("spec.listeners", i)+".tls"; t != nil {
			visit(at+".certFile", &t.CertFile, ReferenceContent)
			visit(at+".keyFile", &t.KeyFile, ReferenceContent)
			visit(at+".clientCAFile", &t.ClientCaFile, ReferenceContent)
		}
	}
	for i, c := range doc.Proxy.GetSpec().GetClusters() {
		if t, at := c.GetTls(), item("spec.clusters", i)+".tls"; t != nil {
			visit(at+".caFile", &t.CaFile, ReferenceContent)
			visit(at+".certFile", &t.CertFile, ReferenceContent)
			visit(at+".keyFile", &t.KeyFile, ReferenceContent)
		}
	}
}

func filterPaths(spec *graftv1alpha1.FilterSpec, visit pathVisitor) {
	if w := spec.GetWasm(); w != nil {
		if isPath(w.GetModule()) {
			visit("spec.wasm.module", &w.Module, ReferenceModule)
		}
		if p := w.GetPull(); p != nil && !strings.ContainsRune(p.GetCaBundle(), '\n') && !strings.Contains(p.GetCaBundle(), "-----BEGIN") {
			visit("spec.wasm.pull.caBundle", &p.CaBundle, ReferenceContent)
		}
	}
	if lua, ok := spec.GetLua().GetSource().(*graftv1alpha1.Lua_File); ok {
		visit("spec.lua.file", &lua.File, ReferenceContent)
	}
}

// isPath tells whether the location of a module is a file: it has no scheme, or file://.
func isPath(location string) bool {
	scheme, _, ok := strings.Cut(location, "://")
	return !ok || scheme == "file"
}

// Paths lists the absolute paths that documents point to, each once, sorted.
func Paths(documents []snapshot.Document) []string {
	var out []string
	for i := range documents {
		for _, ref := range References(&documents[i]) {
			out = append(out, ref.Path)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
