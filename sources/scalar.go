package sources

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// scalar reads one value that is no message. Our own schema wants text to be text and numbers to be numbers, as an API
// server does; in Envoy's messages what protobuf's JSON allows is allowed.
func (r *reader) scalar(n *yaml.Node, fd protoreflect.FieldDescriptor, path string, d dialect) (protoreflect.Value, bool) {
	if n.Kind == yaml.ScalarNode && (!knownTag(n.ShortTag()) || n.ShortTag() == "!!binary" && fd.Kind() != protoreflect.BytesKind) {
		r.complain(n, path, CodeWrongType, fmt.Sprintf("the tag %s is not supported", n.Tag), "leave it out")
		return protoreflect.Value{}, false
	}
	switch fd.Kind() {
	case protoreflect.StringKind:
		return r.text(n, path)
	case protoreflect.BoolKind:
		return r.boolean(n, path)
	case protoreflect.EnumKind:
		return r.enum(n, fd.Enum(), path)
	case protoreflect.BytesKind:
		return r.bytes(n, path)
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return r.float(n, fd, path, d)
	default:
		return r.integer(n, fd, path, d)
	}
}

// text reads text. Numbers and booleans are refused, because `version: 1.10` as text would be a guess.
func (r *reader) text(n *yaml.Node, path string) (protoreflect.Value, bool) {
	if n.Kind == yaml.ScalarNode {
		switch n.ShortTag() {
		case "!!str", "!!timestamp", "!!merge":
			return protoreflect.ValueOfString(n.Value), true
		case "!!int", "!!float", "!!bool":
			r.complain(n, path, CodeWrongType, "expected text, found "+found(n), fmt.Sprintf("put it in quotes: %q", n.Value))
			return protoreflect.Value{}, false
		}
	}
	return r.mistyped(n, path, "text", "")
}

func (r *reader) mistyped(n *yaml.Node, path, expected, hint string) (protoreflect.Value, bool) {
	r.complain(n, path, CodeWrongType, "expected "+expected+", found "+found(n), hint)
	return protoreflect.Value{}, false
}

func (r *reader) boolean(n *yaml.Node, path string) (protoreflect.Value, bool) {
	if n.Kind != yaml.ScalarNode {
		return r.mistyped(n, path, "true or false", "")
	}
	if n.ShortTag() == "!!bool" {
		switch strings.ToLower(n.Value) {
		case "true":
			return protoreflect.ValueOfBool(true), true
		case "false":
			return protoreflect.ValueOfBool(false), true
		}
	}
	hint := ""
	switch strings.ToLower(n.Value) {
	case "yes", "y", "on", "1":
		hint = "write true"
	case "no", "n", "off", "0":
		hint = "write false"
	case "true", "false":
		hint = "leave the quotes away"
	}
	return r.mistyped(n, path, "true or false", hint)
}

func (r *reader) enum(n *yaml.Node, ed protoreflect.EnumDescriptor, path string) (protoreflect.Value, bool) {
	var names []string
	for i := range ed.Values().Len() {
		names = append(names, string(ed.Values().Get(i).Name()))
	}
	if n.Kind != yaml.ScalarNode {
		return r.mistyped(n, path, "one of "+listed(names), "")
	}
	if v := ed.Values().ByName(protoreflect.Name(n.Value)); v != nil {
		return protoreflect.ValueOfEnum(v.Number()), true
	}
	if i, err := strconv.ParseInt(n.Value, 10, 32); err == nil && ed.Values().ByNumber(protoreflect.EnumNumber(i)) != nil {
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(i)), true
	}
	r.complain(n, path, CodeInvalid, fmt.Sprintf("%q is none of %s", n.Value, listed(names)), meant(n.Value, names))
	return protoreflect.Value{}, false
}

// meant is the hint for a value where all that are allowed were already named.
func meant(written string, names []string) string {
	if name := nearest(written, names); name != "" {
		return fmt.Sprintf("did you mean %q?", name)
	}
	return ""
}

// bytes reads base64, the form that protobuf's JSON has for bytes.
func (r *reader) bytes(n *yaml.Node, path string) (protoreflect.Value, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" && n.ShortTag() != "!!binary" && n.ShortTag() != "!!int" {
		return r.mistyped(n, path, "base64", "")
	}
	text := strings.NewReplacer("-", "+", "_", "/", "\n", "", " ", "").Replace(n.Value)
	data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return r.mistyped(n, path, "base64", "")
	}
	return protoreflect.ValueOfBytes(data), true
}

func (r *reader) float(n *yaml.Node, fd protoreflect.FieldDescriptor, path string, d dialect) (protoreflect.Value, bool) {
	bits := 64
	if fd.Kind() == protoreflect.FloatKind {
		bits = 32
	}
	if n.Kind != yaml.ScalarNode || !isNumber(n, d) {
		return r.mistyped(n, path, "a number", "")
	}
	f, ok := floatOf(n, bits)
	switch {
	case !ok:
		return r.mistyped(n, path, "a number", "")
	case bits == 32:
		return protoreflect.ValueOfFloat32(float32(f)), true
	}
	return protoreflect.ValueOfFloat64(f), true
}

func (r *reader) integer(n *yaml.Node, fd protoreflect.FieldDescriptor, path string, d dialect) (protoreflect.Value, bool) {
	least, most := limits(fd.Kind())
	expected := fmt.Sprintf("a whole number from %d to %d", least, most)
	if n.Kind != yaml.ScalarNode || !isNumber(n, d) {
		hint := ""
		if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" && isNumber(n, envoy) {
			hint = "leave the quotes away"
		}
		return r.mistyped(n, path, expected, hint)
	}
	negative, size, ok := wholeOf(n)
	if !ok || negative && size > -uint64(least) || !negative && size > most {
		return r.mistyped(n, path, expected, "")
	}
	signed := int64(size)
	if negative {
		signed = -signed
	}
	switch fd.Kind() {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(signed)), true
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(signed), true
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(uint32(size)), true
	default:
		return protoreflect.ValueOfUint64(size), true
	}
}

// limits gives the smallest and the largest number of a kind.
func limits(kind protoreflect.Kind) (least int64, most uint64) {
	switch kind {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return math.MinInt32, math.MaxInt32
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return math.MinInt64, math.MaxInt64
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return 0, math.MaxUint32
	default:
		return 0, math.MaxUint64
	}
}

// isNumber tells whether a scalar is written as a number; protobuf's JSON allows quotes around it.
func isNumber(n *yaml.Node, d dialect) bool {
	switch n.ShortTag() {
	case "!!int", "!!float":
		return true
	}
	_, ok := floatOf(n, 64)
	return ok && d == envoy
}

// floatOf reads a number in any notation that YAML has.
func floatOf(n *yaml.Node, bits int) (float64, bool) {
	if f, err := strconv.ParseFloat(n.Value, bits); err == nil {
		return f, true
	}
	var f float64
	if n.ShortTag() == "!!str" || n.Decode(&f) != nil || bits == 32 && !math.IsInf(f, 0) && math.Abs(f) > math.MaxFloat32 {
		return 0, false
	}
	return f, true
}

// wholeOf reads a whole number as sign and size, in any notation that YAML has: 10, 0x0a, 0o12, 1_000, 1e1.
func wholeOf(n *yaml.Node) (negative bool, size uint64, ok bool) {
	text, negative := strings.CutPrefix(n.Value, "-")
	text = strings.TrimPrefix(text, "+")
	if size, err := strconv.ParseUint(text, 10, 64); err == nil {
		return negative && size > 0, size, true
	}
	if n.ShortTag() == "!!int" {
		size, err := strconv.ParseUint(strings.ReplaceAll(text, "_", ""), 0, 64)
		return negative && size > 0, size, err == nil
	}
	f, ok := floatOf(n, 64)
	if !ok || f != math.Trunc(f) || math.Abs(f) >= 1<<53 {
		return false, 0, false
	}
	return f < 0, uint64(math.Abs(f)), true
}

func knownTag(tag string) bool {
	switch tag {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!merge", "!!binary", "!!map", "!!seq":
		return true
	}
	return false
}
