package plane

import (
	"encoding/base64"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"
)

// hidden stands in the place of what is not for everybody's eyes.
const hidden = "(hidden)"

// hiddenBytes is how JSON writes hidden where a field holds bytes.
var hiddenBytes = base64.StdEncoding.EncodeToString([]byte(hidden))

// hide puts hidden in the place of every text that Envoy's API calls sensitive (udpa.annotations.sensitive), which is what
// Envoy itself leaves out of its config dump: private keys, passwords, secrets of filters.
func hide(m protoreflect.Message) error { return walk(m, false) }

func walk(m protoreflect.Message, secret bool) error {
	if packed, ok := m.Interface().(*anypb.Any); ok {
		return walkAny(packed, secret)
	}
	var failed error
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		secret := secret || sensitive(field)
		switch {
		case field.IsMap():
			failed = walkMap(field, value.Map(), secret)
		case field.IsList():
			failed = walkList(field, value.List(), secret)
		case field.Message() != nil:
			failed = walk(value.Message(), secret)
		case secret && isText(field):
			m.Set(field, hiddenValue(field))
		}
		return failed == nil
	})
	return failed
}

func walkAny(packed *anypb.Any, secret bool) error {
	inner, err := packed.UnmarshalNew()
	if err != nil {
		return err
	}
	if err := walk(inner.ProtoReflect(), secret); err != nil {
		return err
	}
	packed.Value, err = proto.MarshalOptions{Deterministic: true}.Marshal(inner)
	return err
}

func walkMap(field protoreflect.FieldDescriptor, entries protoreflect.Map, secret bool) error {
	var failed error
	entries.Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
		if field.MapValue().Message() != nil {
			failed = walk(value.Message(), secret)
		} else if secret && isText(field.MapValue()) {
			entries.Set(key, hiddenValue(field.MapValue()))
		}
		return failed == nil
	})
	return failed
}

func walkList(field protoreflect.FieldDescriptor, list protoreflect.List, secret bool) error {
	for i := range list.Len() {
		if field.Message() != nil {
			if err := walk(list.Get(i).Message(), secret); err != nil {
				return err
			}
		} else if secret && isText(field) {
			list.Set(i, hiddenValue(field))
		}
	}
	return nil
}

func isText(field protoreflect.FieldDescriptor) bool {
	return field.Kind() == protoreflect.StringKind || field.Kind() == protoreflect.BytesKind
}

func hiddenValue(field protoreflect.FieldDescriptor) protoreflect.Value {
	if field.Kind() == protoreflect.BytesKind {
		return protoreflect.ValueOfBytes([]byte(hidden))
	}
	return protoreflect.ValueOfString(hidden)
}

// sensitive reads the annotation of a field. Who links Envoy's API has the annotation too.
func sensitive(field protoreflect.FieldDescriptor) bool {
	annotation, err := protoregistry.GlobalTypes.FindExtensionByName("udpa.annotations.sensitive")
	if err != nil || field.Options() == nil || !proto.HasExtension(field.Options(), annotation) {
		return false
	}
	is, _ := proto.GetExtension(field.Options(), annotation).(bool)
	return is
}
