package sources

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"buf.build/go/protovalidate"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
	"github.com/graft-xds/graft/snapshot"
)

// MaxBytes is the largest file that is decoded, in bytes.
const MaxBytes = 16 << 20

// A Decoder reads documents strictly. Making one is costly (it compiles the rules of the schema), so make one and keep
// it. It may be used by several goroutines at once.
type Decoder struct {
	rules protovalidate.Validator
	types *protoregistry.Types
}

// DecodeOptions say how one file is read.
type DecodeOptions struct {
	Dir  string // folder that relative paths in documents start from; empty: they stay as written
	JSON bool   // the text is JSON, whatever the name of the file says

	// Memory of the same file, decoded with the same options, if it is decoded again and again. May be nil.
	Memory *Memory
}

// NewDecoder compiles the rules of the schema. Types of `native` filters and whole Envoy resources are those that are
// linked into the program.
func NewDecoder() (*Decoder, error) {
	rules, err := protovalidate.New(protovalidate.WithDisableLazy(),
		protovalidate.WithMessages(&graftv1alpha1.Filter{}, &graftv1alpha1.Proxy{}))
	if err != nil {
		return nil, fmt.Errorf("compile the rules of the schema: %w", err)
	}
	return &Decoder{rules: rules, types: protoregistry.GlobalTypes}, nil
}

// Decode reads all documents of a file: YAML, or JSON where the name ends in .json. It reports everything that is wrong
// with a document, one Broken for each problem. An object that decodes badly does not touch the others of its file; text
// that is no YAML at all is one Broken with a zero Key and no documents, for what else the file says cannot be trusted.
func (d *Decoder) Decode(file string, data []byte, o DecodeOptions) ([]snapshot.Document, []snapshot.Broken) {
	text, failed := checkText(data)
	if failed != nil {
		return nil, []snapshot.Broken{failed.broken(file)}
	}
	read := d.eachYAML
	if o.JSON || strings.EqualFold(filepath.Ext(file), ".json") {
		read = d.eachJSON
	}
	out, failed := read(file, text, o)
	if failed != nil {
		return nil, []snapshot.Broken{failed.broken(file)}
	}
	return out.documents, out.broken
}

type decoded struct {
	documents []snapshot.Document
	broken    []snapshot.Broken
}

func (d *decoded) add(more decoded) {
	d.documents = append(d.documents, more.documents...)
	d.broken = append(d.broken, more.broken...)
}

// failure is why a whole text cannot be read.
type failure struct {
	at         snapshot.Position
	code       snapshot.Code
	what, hint string
}

func (f *failure) broken(file string) snapshot.Broken {
	return snapshot.Broken{Problem: snapshot.Problem{
		Origin: snapshot.Origin{File: file, Line: f.at.Line, Column: f.at.Column},
		Code:   f.code, What: f.what, Hint: f.hint,
	}}
}

// objects reads the object that root is, or the objects of the List that it is.
func (d *Decoder) objects(file string, line int, root *yaml.Node, o DecodeOptions) decoded {
	r := &reader{file: file, line: line, types: d.types}
	if !r.expand(root) {
		return r.give(snapshot.Key{})
	}
	head, ok := r.head(root)
	if !ok {
		return r.give(head.key)
	}
	if !head.list {
		return d.object(r, head, root, o)
	}
	var out decoded
	for _, item := range r.items(root) {
		each := &reader{file: file, line: line, types: d.types}
		if h, ok := each.head(item); !ok {
			out.add(each.give(h.key))
		} else if h.list {
			each.complain(item, "items", CodeUnknownKind, "a List inside a List", "write its items side by side")
			out.add(each.give(snapshot.Key{}))
		} else {
			out.add(d.object(each, h, item, o))
		}
	}
	out.add(r.give(snapshot.Key{}))
	return out
}

// object reads one object of a kind that graft knows.
func (d *Decoder) object(r *reader, head head, root *yaml.Node, o DecodeOptions) decoded {
	doc := &snapshot.Document{Key: head.key}
	var message protoreflect.ProtoMessage
	switch head.kind {
	case kindFilter:
		doc.Filter = &graftv1alpha1.Filter{}
		message = doc.Filter
	default:
		doc.Proxy = &graftv1alpha1.Proxy{}
		message = doc.Proxy
	}
	r.positions = map[string]snapshot.Position{}
	if head.key != (snapshot.Key{}) {
		r.object = head.key.String()
	}
	r.message(root, message.ProtoReflect(), "", own)
	r.check(d.rules, message)
	if len(r.problems) > 0 {
		return r.give(head.key)
	}
	doc.Positions = r.positions
	doc.Origin = snapshot.Origin{File: r.file, Line: r.top.Line, Column: r.top.Column, Object: r.object}
	if o.Dir != "" {
		resolve(doc, o.Dir)
	}
	return decoded{documents: []snapshot.Document{*doc}}
}

// checkText refuses what is no text, and takes the byte order mark away.
func checkText(data []byte) ([]byte, *failure) {
	if len(data) > MaxBytes {
		return nil, &failure{code: CodeUnreadable, what: fmt.Sprintf("the file has %d bytes, more than %d MiB", len(data), MaxBytes>>20), hint: "split it into several files"}
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, &failure{at: snapshot.Position{Line: 1, Column: 1}, code: CodeUnreadable, what: "the file is UTF-16", hint: "save it as UTF-8"}
	}
	text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if at := notText(text); at >= 0 {
		failed := &failure{at: positionOf(text, at), code: CodeUnreadable, what: fmt.Sprintf("byte 0x%02x is not UTF-8 text", text[at]), hint: "save the file as UTF-8"}
		if text[at] < 0x80 {
			failed.what, failed.hint = fmt.Sprintf("a control character (0x%02x)", text[at]), `write it as an escape in double quotes: "\x1b"`
		}
		return nil, failed
	}
	return text, nil
}
