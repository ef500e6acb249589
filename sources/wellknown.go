package sources

import (
	"fmt"
	"math"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// wellKnown reads the messages that are not written as a mapping of their fields.
func (r *reader) wellKnown(n *yaml.Node, into protoreflect.Message, path string, d dialect) bool {
	switch message := into.Interface().(type) {
	case *anypb.Any:
		r.any(n, message, path)
	case *durationpb.Duration:
		r.duration(n, message, path)
	case *timestamppb.Timestamp:
		r.timestamp(n, message, path)
	case *structpb.Value:
		if v, ok := r.value(n, path); ok {
			proto.Merge(message, v)
		}
	case *structpb.Struct:
		r.structure(n, message, path)
	case *structpb.ListValue:
		r.values(n, message, path)
	default:
		md := into.Descriptor()
		fd := md.Fields().ByName("value")
		if md.ParentFile().Path() != "google/protobuf/wrappers.proto" || n.Kind == yaml.MappingNode {
			return false
		}
		if v, ok := r.scalar(n, fd, path, d); ok {
			into.Set(fd, v)
		}
	}
	return true
}

const typePrefix = "type.googleapis.com/"

// any reads a message of Envoy's: its fields, and its type as `@type`. The message is marshalled deterministically, for
// its bytes are hashed.
func (r *reader) any(n *yaml.Node, into *anypb.Any, path string) {
	if n.Kind != yaml.MappingNode {
		r.complain(n, path, CodeWrongType, "expected a mapping with @type, found "+found(n), "")
		return
	}
	entries := r.entries(n, path)
	name, at := textOf(n, "@type")
	if name == "" {
		if at == nil {
			at = n
		}
		r.complain(at, path, CodeMissing, "no @type", `write "@type": type.googleapis.com/ and the name of an Envoy message`)
		return
	}
	mt, err := r.types.FindMessageByName(protoreflect.FullName(name[strings.LastIndexByte(name, '/')+1:]))
	if err != nil {
		r.complain(at, join(path, "@type"), CodeUnknownType, fmt.Sprintf("unknown type %q", name), r.typeHint(name))
		return
	}
	message := mt.New()
	var rest []entry
	for _, e := range entries {
		if e.name == "@type" {
			r.remember(e.path, e.key)
			continue
		}
		rest = append(rest, e)
	}
	if special(mt.Descriptor()) { // {"@type": …StringValue, value: …}
		for _, e := range rest {
			r.remember(e.path, e.key)
			if e.name == "value" {
				r.wellKnown(e.value, message, e.path, envoy)
			} else {
				r.complain(e.key, e.path, CodeUnknownField, fmt.Sprintf("unknown field %q", e.name), "a "+string(mt.Descriptor().Name())+" has @type and value")
			}
		}
	} else {
		r.fields(rest, message, path, envoy)
	}
	r.pack(n, message, into, path)
}

func (r *reader) pack(n *yaml.Node, message protoreflect.Message, into *anypb.Any, path string) {
	bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(message.Interface())
	if err != nil {
		r.complain(n, path, CodeInvalid, "cannot be marshalled: "+err.Error(), "")
		return
	}
	into.TypeUrl, into.Value = typePrefix+string(message.Descriptor().FullName()), bytes
}

// special tells whether a message has a form of its own in JSON, so that inside an Any it stands under `value`.
func special(md protoreflect.MessageDescriptor) bool {
	switch md.FullName() {
	case "google.protobuf.Any", "google.protobuf.Duration", "google.protobuf.Timestamp",
		"google.protobuf.Value", "google.protobuf.Struct", "google.protobuf.ListValue":
		return true
	}
	return md.ParentFile().Path() == "google/protobuf/wrappers.proto"
}

func (r *reader) typeHint(name string) string {
	var names []string
	r.types.RangeMessages(func(mt protoreflect.MessageType) bool {
		names = append(names, typePrefix+string(mt.Descriptor().FullName()))
		return true
	})
	if !strings.Contains(name, "/") {
		name = typePrefix + name
	}
	// The prefix says nothing, and would make far names look near.
	best, least := "", (len(name)-len(typePrefix))/4+1
	for _, known := range names {
		if d := distance(name, known, least); d < least || d == least-1 && known < best {
			best, least = known, d
		}
	}
	if best == "" {
		return "the types are those of Envoy's v3 API, with type.googleapis.com/ before their full name"
	}
	return fmt.Sprintf("did you mean %q?", best)
}

func (r *reader) duration(n *yaml.Node, into *durationpb.Duration, path string) {
	if n.Kind == yaml.ScalarNode {
		if d, err := time.ParseDuration(n.Value); err == nil && n.ShortTag() == "!!str" {
			proto.Merge(into, durationpb.New(d))
			return
		}
	}
	hint := ""
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!int" {
		hint = "write the unit: " + n.Value + "s"
	}
	r.complain(n, path, CodeWrongType, "expected a duration such as 300ms, 30s or 1m30s, found "+found(n), hint)
}

func (r *reader) timestamp(n *yaml.Node, into *timestamppb.Timestamp, path string) {
	if n.Kind == yaml.ScalarNode {
		if t, err := time.Parse(time.RFC3339Nano, n.Value); err == nil {
			proto.Merge(into, timestamppb.New(t))
			return
		}
	}
	r.complain(n, path, CodeWrongType, "expected a time such as 2026-01-31T12:00:00Z, found "+found(n), "")
}

// value reads any JSON value.
func (r *reader) value(n *yaml.Node, path string) (*structpb.Value, bool) {
	switch n.Kind {
	case yaml.MappingNode:
		into := &structpb.Struct{}
		r.structure(n, into, path)
		return structpb.NewStructValue(into), true
	case yaml.SequenceNode:
		into := &structpb.ListValue{}
		r.values(n, into, path)
		return structpb.NewListValue(into), true
	}
	switch n.ShortTag() {
	case "!!null":
		return structpb.NewNullValue(), true
	case "!!bool":
		return structpb.NewBoolValue(strings.EqualFold(n.Value, "true")), true
	case "!!int", "!!float":
		return r.number(n, path)
	case "!!str", "!!timestamp", "!!merge":
		return structpb.NewStringValue(n.Value), true
	}
	r.complain(n, path, CodeWrongType, fmt.Sprintf("the tag %s is not supported", n.Tag), "leave it out")
	return nil, false
}

// number reads a number of a JSON value. JSON numbers are doubles on their way; one that would not arrive as it was
// written is refused rather than rounded.
func (r *reader) number(n *yaml.Node, path string) (*structpb.Value, bool) {
	f, ok := floatOf(n, 64)
	if !ok || math.IsInf(f, 0) || math.IsNaN(f) {
		r.complain(n, path, CodeInvalid, fmt.Sprintf("%s is no number of JSON", n.Value), fmt.Sprintf("put it in quotes: %q", n.Value))
		return nil, false
	}
	if _, size, whole := wholeOf(n); n.ShortTag() == "!!int" && (!whole || size > 1<<53) {
		r.complain(n, path, CodeInvalid, fmt.Sprintf("the number %s would be rounded", n.Value), fmt.Sprintf("put it in quotes: %q", n.Value))
		return nil, false
	}
	return structpb.NewNumberValue(f), true
}

func (r *reader) structure(n *yaml.Node, into *structpb.Struct, path string) {
	if n.Kind != yaml.MappingNode {
		r.complain(n, path, CodeWrongType, "expected a mapping, found "+found(n), "")
		return
	}
	into.Fields = map[string]*structpb.Value{}
	for _, e := range r.entries(n, path) {
		r.remember(e.path, e.key)
		if v, ok := r.value(e.value, e.path); ok {
			into.Fields[e.name] = v
		}
	}
}

func (r *reader) values(n *yaml.Node, into *structpb.ListValue, path string) {
	if n.Kind != yaml.SequenceNode {
		r.complain(n, path, CodeWrongType, "expected a list, found "+found(n), "")
		return
	}
	for i, child := range n.Content {
		r.remember(item(path, i), child)
		if v, ok := r.value(child, item(path, i)); ok {
			into.Values = append(into.Values, v)
		}
	}
}
