package main

import (
	"fmt"
	"strconv"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
)

// rule is one thing that a value has to be: a keyword of JSON Schema, and the same in words.
type rule struct {
	Keyword string // empty: JSON Schema cannot say it
	Value   any
	Words   string
}

// rulesOf gives the rules of a field, and those of the items of a list. A rule that is not known here is an error, so that
// none gets lost between the schema and its reference.
func rulesOf(fd protoreflect.FieldDescriptor) (rules, items []rule, err error) {
	of, ok := proto.GetExtension(fd.Options(), validate.E_Field).(*validate.FieldRules)
	if !ok || of == nil {
		return nil, nil, nil
	}
	if of.GetRepeated().GetItems() != nil {
		if items, err = translate(of.GetRepeated().GetItems()); err != nil {
			return nil, nil, err
		}
	}
	rules, err = translate(of)
	return rules, items, err
}

func oneofRequired(od protoreflect.OneofDescriptor) bool {
	of, ok := proto.GetExtension(od.Options(), validate.E_Oneof).(*validate.OneofRules)
	return ok && of.GetRequired()
}

// translate goes through the rules of one type (string, uint32, …) that are set.
func translate(of *validate.FieldRules) ([]rule, error) {
	which := of.ProtoReflect().WhichOneof(of.ProtoReflect().Descriptor().Oneofs().ByName("type"))
	if which == nil {
		return nil, nil
	}
	typed := of.ProtoReflect().Get(which).Message()
	var rules []rule
	for i := range typed.Descriptor().Fields().Len() { // in the order of protovalidate, so that the output never flaps
		fd := typed.Descriptor().Fields().Get(i)
		if !typed.Has(fd) || fd.Name() == "items" {
			continue
		}
		one, err := translateOne(fd, typed.Get(fd))
		if err != nil {
			return nil, err
		}
		rules = append(rules, one)
	}
	return rules, nil
}

func translateOne(fd protoreflect.FieldDescriptor, v protoreflect.Value) (rule, error) {
	if d, ok := duration(fd, v); ok {
		return d, nil
	}
	switch fd.Name() {
	case "const":
		return rule{"const", v.Interface(), code(v.Interface())}, nil
	case "in":
		return oneOf(v.List()), nil
	case "pattern":
		return rule{"pattern", v.String(), code(v.String())}, nil
	case "prefix":
		return rule{"pattern", "^" + v.String(), "begins with " + code(v.String())}, nil
	case "min_len":
		return rule{"minLength", v.Uint(), "not empty"}, nil
	case "max_len":
		return rule{"maxLength", v.Uint(), fmt.Sprintf("at most %d characters", v.Uint())}, nil
	case "unique":
		return rule{"uniqueItems", true, "each once"}, nil
	case "gte":
		return rule{"minimum", v.Interface(), fmt.Sprintf("at least %v", v.Interface())}, nil
	case "lte":
		return rule{"maximum", v.Interface(), fmt.Sprintf("at most %v", v.Interface())}, nil
	}
	return rule{}, fmt.Errorf("the rule %q is not known to docs/generate: add it to rules.go", fd.Name())
}

// oneOf leaves the zero value out: it means the default, and who wants that writes nothing.
func oneOf(list protoreflect.List) rule {
	var values []any
	var words []string
	for i := range list.Len() {
		if v := list.Get(i).Interface(); v != "" && v != uint32(0) {
			values = append(values, v)
			words = append(words, code(v))
		}
	}
	return rule{"enum", values, strings.Join(words, ", ")}
}

// duration rules compare with a duration; only zero is used, which the pattern of durations implies, or nearly so.
func duration(fd protoreflect.FieldDescriptor, v protoreflect.Value) (rule, bool) {
	if fd.Message() == nil || fd.Message().FullName() != (&durationpb.Duration{}).ProtoReflect().Descriptor().FullName() || fd.IsList() {
		return rule{}, false
	}
	than, ok := v.Message().Interface().(*durationpb.Duration)
	if !ok || than.AsDuration() != 0 {
		return rule{}, false
	}
	return rule{Words: map[protoreflect.Name]string{"gt": "more than `0s`", "gte": "not negative"}[fd.Name()]}, true
}

func code(v any) string {
	switch v := v.(type) {
	case string:
		return "`" + v + "`"
	case uint32:
		return strconv.FormatUint(uint64(v), 10)
	default:
		return fmt.Sprint(v)
	}
}
