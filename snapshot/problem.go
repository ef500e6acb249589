package snapshot

import (
	"cmp"
	"fmt"
	"strings"
)

// Origin is the place that a document, or a part of it, was written in.
type Origin struct {
	File   string // path as the user gave it, or "" for an API server
	Line   int    // 1 is the first; 0 unknown
	Column int    // 1 is the first; 0 unknown
	Object string // "Filter default/melon", or "" where no object could be read
	Field  string // path of the field: "spec.targets[0].listeners"
}

// String gives the place in one line: "melon.yaml:7:5: Filter default/melon: spec.wasm.module".
func (o Origin) String() string {
	var parts []string
	if o.File != "" {
		at := o.File
		if o.Line > 0 {
			at += fmt.Sprintf(":%d", o.Line)
			if o.Column > 0 {
				at += fmt.Sprintf(":%d", o.Column)
			}
		}
		parts = append(parts, at)
	}
	for _, part := range []string{o.Object, o.Field} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// Code names a kind of problem, for machines and for docs/reference/problems.md.
type Code string

// Problem tells an author what is wrong with what they wrote, where, and how to mend it. A problem never costs a proxy
// its configuration.
type Problem struct {
	Origin Origin
	Code   Code
	What   string // lower case, no full stop: `unknown field "modul"`
	Hint   string // how to mend it: `did you mean "module"?`; may be empty
}

// Error makes a Problem usable as an error: where, then what. The hint stands on its own line elsewhere.
func (p Problem) Error() string {
	if at := p.Origin.String(); at != "" {
		return at + ": " + p.What
	}
	return p.What
}

// CompareProblems orders problems by file, line, column, object, field, code and text.
func CompareProblems(a, b Problem) int {
	return cmp.Or(
		cmp.Compare(a.Origin.File, b.Origin.File),
		cmp.Compare(a.Origin.Line, b.Origin.Line),
		cmp.Compare(a.Origin.Column, b.Origin.Column),
		cmp.Compare(a.Origin.Object, b.Origin.Object),
		cmp.Compare(a.Origin.Field, b.Origin.Field),
		cmp.Compare(a.Code, b.Code),
		cmp.Compare(a.What, b.What),
	)
}
