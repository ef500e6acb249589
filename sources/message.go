package sources

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// dialect says whose names and habits apply to a message.
type dialect int

const (
	own   dialect = iota // graft's own schema: one name for each field, and what kubectl would take as well
	envoy                // Envoy's: its documentation writes field_name, protobuf's JSON fieldName
)

// message reads the fields of a mapping into a message.
func (r *reader) message(n *yaml.Node, into protoreflect.Message, path string, d dialect) {
	if r.wellKnown(n, into, path, d) {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.complain(n, path, CodeWrongType, "expected a mapping, found "+found(n), "its fields: "+listed(fieldNames(into.Descriptor(), d)))
		return
	}
	r.fields(r.entries(n, path), into, path, d)
}

func (r *reader) fields(entries []entry, into protoreflect.Message, path string, d dialect) {
	written := map[protoreflect.OneofDescriptor][]entry{}
	for _, e := range entries {
		fd := lookup(e.name, into.Descriptor(), d)
		if fd == nil {
			r.unknownField(e, into.Descriptor(), path, d)
			continue
		}
		if d == envoy {
			e.path = join(path, fd.JSONName())
		}
		r.remember(e.path, e.key)
		if path == "" && e.name == "status" && d == own {
			continue // written by graft, so whatever a newer graft put there is none of the author's faults
		}
		if one := fd.ContainingOneof(); one != nil && !one.IsSynthetic() && !empty(e.value) {
			written[one] = append(written[one], e)
			if len(written[one]) > 1 {
				r.conflict(written[one], one, d)
				continue
			}
		}
		r.field(e, fd, into, d)
	}
}

// field reads the value of one field.
func (r *reader) field(e entry, fd protoreflect.FieldDescriptor, into protoreflect.Message, d dialect) {
	if empty(e.value) && !takesNull(fd) {
		return
	}
	switch {
	case fd.IsList():
		r.list(e.value, fd, into.Mutable(fd).List(), e.path, d)
	case fd.IsMap():
		r.mapping(e.value, fd, into.Mutable(fd).Map(), e.path, d)
	case fd.Message() != nil:
		r.message(e.value, into.Mutable(fd).Message(), e.path, d)
	default:
		if v, ok := r.scalar(e.value, fd, e.path, d); ok {
			into.Set(fd, v)
		}
	}
}

func (r *reader) list(n *yaml.Node, fd protoreflect.FieldDescriptor, into protoreflect.List, path string, d dialect) {
	if n.Kind != yaml.SequenceNode {
		hint := ""
		if n.Kind == yaml.ScalarNode && len(n.Value) < 60 {
			hint = fmt.Sprintf("write [%s]", n.Value)
		} else if n.Kind == yaml.MappingNode {
			hint = `begin each item with "- "`
		}
		r.complain(n, path, CodeWrongType, "expected a list, found "+found(n), hint)
		return
	}
	for i, child := range n.Content {
		at := item(path, i)
		r.remember(at, child)
		if empty(child) && !takesNull(fd) {
			r.complain(child, at, CodeWrongType, "an empty item in a list", "remove it, or write its value")
			continue
		}
		if fd.Message() != nil {
			v := into.NewElement()
			r.message(child, v.Message(), at, d)
			into.Append(v)
		} else if v, ok := r.scalar(child, fd, at, d); ok {
			into.Append(v)
		}
	}
}

func (r *reader) mapping(n *yaml.Node, fd protoreflect.FieldDescriptor, into protoreflect.Map, path string, d dialect) {
	if n.Kind != yaml.MappingNode {
		r.complain(n, path, CodeWrongType, "expected a mapping of names to values, found "+found(n), "")
		return
	}
	for _, e := range r.entries(n, path) {
		r.remember(e.path, e.key)
		key, ok := r.mapKey(e, fd.MapKey())
		if !ok {
			continue
		}
		switch {
		case empty(e.value) && !takesNull(fd.MapValue()):
			r.complain(e.key, e.path, CodeWrongType, "no value", `write "" for empty text`)
		case fd.MapValue().Message() != nil:
			v := into.NewValue()
			r.message(e.value, v.Message(), e.path, d)
			into.Set(key, v)
		default:
			if v, ok := r.scalar(e.value, fd.MapValue(), e.path, d); ok {
				into.Set(key, v)
			}
		}
	}
}

// mapKey reads the name of an entry. In maps of our own schema it is always text.
func (r *reader) mapKey(e entry, fd protoreflect.FieldDescriptor) (protoreflect.MapKey, bool) {
	if fd.Kind() == protoreflect.StringKind {
		return protoreflect.ValueOfString(e.name).MapKey(), true
	}
	v, ok := r.scalar(&yaml.Node{Kind: yaml.ScalarNode, Value: e.name, Line: e.key.Line, Column: e.key.Column}, fd, e.path, envoy)
	if !ok {
		return protoreflect.MapKey{}, false
	}
	return v.MapKey(), true
}

func (r *reader) unknownField(e entry, md protoreflect.MessageDescriptor, path string, d dialect) {
	names := fieldNames(md, d)
	if meant := nearest(e.name, names); meant != "" {
		r.wrong = append(r.wrong, join(path, meant))
	}
	r.complain(e.key, e.path, CodeUnknownField, fmt.Sprintf("unknown field %q", e.name), didYouMean(e.name, names))
}

func (r *reader) conflict(written []entry, one protoreflect.OneofDescriptor, d dialect) {
	last := written[len(written)-1]
	r.complain(last.key, last.path, CodeConflict, fmt.Sprintf("%s stands beside %s", last.name, written[0].name),
		"write exactly one of "+listed(memberNames(one, d)))
}

// lookup finds a field by its name. Our own fields have one name each.
func lookup(name string, md protoreflect.MessageDescriptor, d dialect) protoreflect.FieldDescriptor {
	if fd := md.Fields().ByJSONName(name); fd != nil {
		return fd
	}
	if d == envoy {
		return md.Fields().ByName(protoreflect.Name(name))
	}
	return nil
}

// fieldNames gives the names of the fields of a message as they are written.
func fieldNames(md protoreflect.MessageDescriptor, d dialect) []string {
	var out []string
	for i := range md.Fields().Len() {
		out = append(out, nameOf(md.Fields().Get(i), d))
	}
	return out
}

func memberNames(one protoreflect.OneofDescriptor, d dialect) []string {
	var out []string
	for i := range one.Fields().Len() {
		out = append(out, nameOf(one.Fields().Get(i), d))
	}
	return out
}

func nameOf(fd protoreflect.FieldDescriptor, d dialect) string {
	if d == envoy {
		return string(fd.Name())
	}
	return fd.JSONName()
}

// takesNull tells whether null is a value of the field rather than the lack of one.
func takesNull(fd protoreflect.FieldDescriptor) bool {
	return fd.Message() != nil && fd.Message().FullName() == "google.protobuf.Value" && !strings.HasPrefix(string(fd.FullName()), "graft.")
}
