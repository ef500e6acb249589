package snapshot

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

// typePrefix begins every type URL on the wire.
const typePrefix = "type.googleapis.com/"

// marshal gives the same bytes for the same message, in every replica. (anypb.New does not: it writes maps in the order
// that Go happens to walk them.) It panics for a string that is not UTF-8, which no decoded document can hold and Parse
// refuses in files.
func marshal(m proto.Message) []byte {
	body, err := proto.MarshalOptions{Deterministic: true, AllowPartial: true}.Marshal(m)
	if err != nil {
		panic("snapshot: marshal " + string(m.ProtoReflect().Descriptor().FullName()) + ": " + err.Error())
	}
	return body
}

// anyOf wraps a message, deterministically.
func anyOf(m proto.Message) *anypb.Any {
	return &anypb.Any{TypeUrl: typeURL(m), Value: marshal(m)}
}

func typeURL(m proto.Message) string {
	return typePrefix + string(m.ProtoReflect().Descriptor().FullName())
}

// newResource marshals a whole xDS resource; its version is the hash of its bytes.
func newResource(name string, m proto.Message) *Resource {
	body := marshal(m)
	return &Resource{Type: typeURL(m), Name: name, Version: hash(body), Body: body}
}

// hash gives 32 hex digits that differ whenever any part, or the number of parts, does.
func hash(parts ...[]byte) string {
	size := 0
	for _, part := range parts {
		size += lengthSize + len(part)
	}
	h := make(hasher, 0, size)
	for _, part := range parts {
		h = append(h.length(len(part)), part...)
	}
	return h.sum()
}

// hasher gathers what hash is over where it comes as strings: h = h.add(s).
type hasher []byte

// lengthSize is how many bytes a hasher needs besides those of each part.
const lengthSize = 8

func (h hasher) length(n int) hasher { return binary.BigEndian.AppendUint64(h, uint64(n)) }

func (h hasher) add(part string) hasher { return append(h.length(len(part)), part...) }

func (h hasher) sum() string {
	sum := sha256.Sum256(h)
	return hex.EncodeToString(sum[:16])
}

// canonical gives a copy of a message in which every Any, at any depth, is marshalled deterministically. An Any of a
// type that this program does not know is an error.
func canonical[M proto.Message](m M) (M, error) {
	c := proto.Clone(m).(M)
	return c, canonicalize(c.ProtoReflect())
}

func canonicalize(m protoreflect.Message) error {
	if packed, ok := m.Interface().(*anypb.Any); ok {
		return repack(packed)
	}
	return eachMessage(m, func(inner protoreflect.Message) error {
		if packed, ok := inner.Interface().(*anypb.Any); ok {
			return repack(packed)
		}
		return nil
	})
}

func repack(packed *anypb.Any) error {
	if packed.GetTypeUrl() == "" {
		return nil
	}
	inner, err := packed.UnmarshalNew()
	if err != nil {
		return err
	}
	if err := canonicalize(inner.ProtoReflect()); err != nil {
		return err
	}
	packed.Value = marshal(inner)
	return nil
}

// eachMessage calls visit for every message below m, from the outside in but not into an Any, until one is an error.
func eachMessage(m protoreflect.Message, visit func(protoreflect.Message) error) error {
	var failed error
	walk := func(inner protoreflect.Message) bool {
		failed = visit(inner)
		if _, packed := inner.Interface().(*anypb.Any); failed == nil && !packed {
			failed = eachMessage(inner, visit)
		}
		return failed == nil
	}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap():
			if field.MapValue().Message() != nil {
				value.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool { return walk(v.Message()) })
			}
		case field.Message() == nil:
		case field.IsList():
			for i := 0; i < value.List().Len() && failed == nil; i++ {
				walk(value.List().Get(i).Message())
			}
		default:
			walk(value.Message())
		}
		return failed == nil
	})
	return failed
}
