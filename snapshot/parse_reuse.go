package snapshot

import (
	"bytes"
	"maps"
	"reflect"
)

// inForce is a document with what it means. It is immutable, and the same pointer as long as nothing of it changes.
type inForce[T any] struct {
	doc  *Document
	form *T
}

// reader is how documents of one kind are read.
type reader[T any] struct {
	parse func(*Document) (*T, []Problem) // either a form, or why it cannot be taken
	hash  func(*T) string                 // of all that it means
	moved func(*T, *Document) *T          // the same, written elsewhere
}

func filterReader() reader[Filter] {
	return reader[Filter]{
		parse: parseFilter,
		hash:  func(f *Filter) string { return f.Hash },
		moved: func(f *Filter, to *Document) *Filter {
			moved := *f
			moved.Origin = to.At
			return &moved
		},
	}
}

// next reads a document, but for what is known from o, the one that its key had before; o may be nil. What cannot be taken
// is nil.
func (o *inForce[T]) next(doc *Document, read reader[T]) (*inForce[T], []Problem) {
	if o != nil && o.doc.same(doc) {
		return o, nil
	}
	own := *doc // what is kept does not keep all documents that came with it
	if o != nil && o.doc.saysTheSame(doc) {
		return &inForce[T]{doc: &own, form: read.moved(o.form, &own)}, nil
	}
	form, problems := read.parse(&own)
	if form == nil {
		return nil, problems
	}
	if o != nil && o.doc.samePlace(doc) && read.hash(o.form) == read.hash(form) {
		form = o.form
	}
	return &inForce[T]{doc: &own, form: form}, nil
}

func (c *Config) filterAt(i int) *inForce[Filter] {
	if i < 0 || i >= len(c.parsed.filters) {
		return nil
	}
	return c.parsed.filters[i]
}

func (c *Config) proxyAt(i int) *inForce[claimed] {
	i -= len(c.parsed.filters)
	if i < 0 || i >= len(c.parsed.proxies) {
		return nil
	}
	return c.parsed.proxies[i]
}

// same tells whether nothing of two documents differs, without looking into what sources share.
func (d *Document) same(other *Document) bool {
	return d == other || d.saysTheSame(other) && d.samePlace(other)
}

// saysTheSame tells whether two documents differ at most in where they are written.
func (d *Document) saysTheSame(other *Document) bool {
	return d.Filter == other.Filter && d.Proxy == other.Proxy && d.Key == other.Key &&
		maps.EqualFunc(d.Files, other.Files, sameFile)
}

func (d *Document) samePlace(other *Document) bool {
	return d.Origin == other.Origin && (sameMap(d.Positions, other.Positions) || maps.Equal(d.Positions, other.Positions))
}

// sameMap tells whether two maps are one.
func sameMap[K comparable, V any](a, b map[K]V) bool {
	return reflect.ValueOf(a).UnsafePointer() == reflect.ValueOf(b).UnsafePointer()
}

func sameFile(a, b File) bool {
	return a.Stamp == b.Stamp && a.Err == b.Err && len(a.Data) == len(b.Data) &&
		(len(a.Data) == 0 || &a.Data[0] == &b.Data[0] || bytes.Equal(a.Data, b.Data))
}
