package main

import (
	"errors"
	"fmt"
	"strings"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// schema is what people may write: the kinds, and the messages that they are made of.
type schema struct {
	Kinds    []*message // messages with an apiVersion and a kind, in the order of the files
	Messages []*message // all that the kinds are made of, the kinds included, each after one that refers to it
}

type message struct {
	Name    string
	Comment string
	Fields  []*field
	Choices []*choice
}

// field is one field as it is written: by its JSON name.
type field struct {
	Name     string
	Comment  string
	Required bool
	Written  bool // by graft, not by people: status
	Shape    shape
	List     bool
	Map      bool     // of text to Shape
	Rules    []rule   // about the value, or the whole list
	Items    []rule   // about each item of a list
	Message  *message // for shapeMessage
	Choice   *choice  // of which it is a member; nil for most
}

// choice is a set of fields of which at most one is written.
type choice struct {
	Fields   []*field
	Required bool // exactly one
}

// shape is the form of a single value.
type shape string

const (
	shapeText     shape = "text"
	shapeBool     shape = "true or false"
	shapeInteger  shape = "integer"
	shapeNumber   shape = "number"
	shapeDuration shape = "duration"
	shapeTime     shape = "time"
	shapeAny      shape = "Envoy message"
	shapeJSON     shape = "any value"
	shapeObject   shape = "object"
	shapeMessage  shape = "message"
)

var wellKnown = map[protoreflect.FullName]shape{
	"google.protobuf.Duration":  shapeDuration,
	"google.protobuf.Timestamp": shapeTime,
	"google.protobuf.Any":       shapeAny,
	"google.protobuf.Value":     shapeJSON,
	"google.protobuf.Struct":    shapeObject,
}

type reader struct {
	validator protovalidate.Validator
	known     map[protoreflect.FullName]*message
	schema    *schema
	errs      []error
}

// read collects the kinds of the files that code is generated for.
func read(files []*protogen.File) (*schema, error) {
	validator, err := protovalidate.New()
	if err != nil {
		return nil, fmt.Errorf("compile the rules of the schema: %w", err)
	}
	r := &reader{validator: validator, known: map[protoreflect.FullName]*message{}, schema: &schema{}}
	for _, file := range files {
		for _, m := range file.Messages {
			if file.Generate && m.Desc.Fields().ByJSONName("apiVersion") != nil {
				r.schema.Kinds = append(r.schema.Kinds, r.message(m))
			}
		}
	}
	return r.schema, errors.Join(r.errs...)
}

func (r *reader) message(of *protogen.Message) *message {
	if m, ok := r.known[of.Desc.FullName()]; ok {
		return m
	}
	m := &message{Name: string(of.Desc.Name()), Comment: r.comment(of.Comments, of.Desc)}
	r.known[of.Desc.FullName()] = m
	r.schema.Messages = append(r.schema.Messages, m)
	required := r.required(of.Desc)
	choices := map[*protogen.Oneof]*choice{}
	for _, one := range of.Oneofs {
		if !one.Desc.IsSynthetic() {
			choices[one] = &choice{Required: oneofRequired(one.Desc)}
			m.Choices = append(m.Choices, choices[one])
		}
	}
	for _, from := range of.Fields {
		f := r.field(from)
		f.Required = required[from.Desc.Name()]
		f.Written = f.Name == "status" && of.Desc.Fields().ByJSONName("apiVersion") != nil
		if f.Choice = choices[from.Oneof]; f.Choice != nil {
			f.Choice.Fields = append(f.Choice.Fields, f)
		}
		m.Fields = append(m.Fields, f)
	}
	return m
}

func (r *reader) field(from *protogen.Field) *field {
	f := &field{
		Name:    from.Desc.JSONName(),
		Comment: r.comment(from.Comments, from.Desc),
		List:    from.Desc.IsList(),
		Map:     from.Desc.IsMap(),
	}
	value, of := from.Desc, from.Message
	if f.Map {
		value, of = from.Desc.MapValue(), from.Message.Fields[1].Message
	}
	f.Shape = r.shapeOf(value)
	if f.Shape == shapeMessage {
		f.Message = r.message(of)
	}
	var err error
	if f.Rules, f.Items, err = rulesOf(from.Desc); err != nil {
		r.errs = append(r.errs, fmt.Errorf("%s: %w", from.Desc.FullName(), err))
	}
	return f
}

func (r *reader) shapeOf(fd protoreflect.FieldDescriptor) shape {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return shapeText
	case protoreflect.BoolKind:
		return shapeBool
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return shapeNumber
	case protoreflect.Int32Kind, protoreflect.Uint32Kind, protoreflect.Int64Kind, protoreflect.Uint64Kind:
		return shapeInteger
	case protoreflect.MessageKind:
		if known, ok := wellKnown[fd.Message().FullName()]; ok {
			return known
		}
		return shapeMessage
	default:
		r.errs = append(r.errs, fmt.Errorf("%s: a field of kind %s is not known to docs/generate", fd.FullName(), fd.Kind()))
		return shapeJSON
	}
}

// required asks the rules themselves: it is what they miss in an empty message.
func (r *reader) required(md protoreflect.MessageDescriptor) map[protoreflect.Name]bool {
	missed := map[protoreflect.Name]bool{}
	err := r.validator.Validate(dynamicpb.NewMessage(md))
	var invalid *protovalidate.ValidationError
	if err != nil && !errors.As(err, &invalid) {
		r.errs = append(r.errs, fmt.Errorf("%s: %w", md.FullName(), err))
		return missed
	}
	if invalid != nil {
		for _, v := range invalid.Violations {
			if v.FieldDescriptor != nil && v.FieldDescriptor.ContainingOneof() == nil {
				missed[v.FieldDescriptor.Name()] = true
			}
		}
	}
	return missed
}

// comment is the text above a message or a field. What people may write without being told what it is was forgotten.
func (r *reader) comment(c protogen.CommentSet, d protoreflect.Descriptor) string {
	text := strings.Join(strings.Fields(string(c.Leading)), " ")
	if text == "" {
		r.errs = append(r.errs, fmt.Errorf("%s: %s has no comment: say what it is, and its default", d.ParentFile().Path(), d.FullName()))
	}
	return text
}
