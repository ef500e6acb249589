package main

import (
	"fmt"
	"strings"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/pluginpb"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// The fields of a kind that has one of everything, as prototext of FieldDescriptorProto and of the rules.
var thing = []struct{ name, field, rules, want, words string }{
	{"apiVersion", `type: TYPE_STRING`, `string {const: "v1"}`, `{"description":"Comment.","type":"string","const":"v1"}`, "text | **required**; `v1`"},
	{"plain", `type: TYPE_STRING`, ``, `{"description":"Comment.","type":"string"}`, "text | "},
	{"choice", `type: TYPE_STRING`, `string {in: ["", "a", "b"]}`, `{"description":"Comment.","type":"string","enum":["a","b"]}`, "text | `a`, `b`"},
	{"numbers", `type: TYPE_UINT32`, `uint32 {in: [0, 301]}`, `{"description":"Comment.","type":"integer","enum":[301]}`, "integer | 301"},
	{"ranged", `type: TYPE_UINT32`, `uint32 {gte: 1 lte: 9}`, `{"description":"Comment.","type":"integer","maximum":9,"minimum":1}`, "integer | **required**; at most 9; at least 1"},
	{"share", `type: TYPE_DOUBLE`, `double {gte: 0 lte: 1}`, `{"description":"Comment.","type":"number","maximum":1,"minimum":0}`, "number | at most 1; at least 0"},
	{"flag", `type: TYPE_BOOL`, ``, `{"description":"Comment.","type":"boolean"}`, "true or false | "},
	{"path", `type: TYPE_STRING`, `string {prefix: "/"}`, `{"description":"Comment.","type":"string","pattern":"^/"}`, "text | **required**; begins with `/`"},
	{"hex", `type: TYPE_STRING`, `string {pattern: "^([0-9]|x)*$"}`, `{"description":"Comment.","type":"string","pattern":"^([0-9]|x)*$"}`, "text | `^([0-9]\\|x)*$`"},
	{"short", `type: TYPE_STRING`, `string {min_len: 1 max_len: 5}`, `{"description":"Comment.","type":"string","minLength":1,"maxLength":5}`, "text | **required**; at most 5 characters"},
	{
		"list", `type: TYPE_STRING label: LABEL_REPEATED`, `repeated {unique: true items {string {min_len: 1}}}`,
		`{"description":"Comment.","type":"array","items":{"type":"string","minLength":1},"uniqueItems":true}`, "list of text | each once; items: not empty",
	},
	{
		"every", `type: TYPE_MESSAGE type_name: ".google.protobuf.Duration"`, `duration {gt: {}}`,
		`{"description":"Comment.","type":"string","pattern":"^([0-9]+(\\.[0-9]+)?(h|m|s|ms|us|ns))+$"}`, "duration | more than `0s`",
	},
	{"config", `type: TYPE_MESSAGE type_name: ".google.protobuf.Value"`, ``, `{"description":"Comment."}`, "any value | "},
	{
		"native", `type: TYPE_MESSAGE type_name: ".google.protobuf.Any"`, ``,
		`{"description":"Comment.","type":"object","required":["@type"],"properties":{"@type":{"type":"string","pattern":"^type\\.googleapis\\.com/.+"}}}`, "Envoy message | ",
	},
	{"self", `type: TYPE_MESSAGE type_name: ".thing.Thing"`, ``, `{"description":"Comment.","allOf":[{"$ref":"#/definitions/Thing"}]}`, "[Thing](#thing) | "},
	{"status", `type: TYPE_MESSAGE type_name: ".thing.Thing"`, ``, `{"description":"Comment.","type":"object"}`, "[Thing](#thing) | "},
}

func thingFile(t *testing.T) *descriptorpb.FileDescriptorProto {
	t.Helper()
	m := &descriptorpb.DescriptorProto{Name: proto.String("Thing")}
	for i, f := range thing {
		m.Field = append(m.Field, newField(t, f.name, i+1, f.field, f.rules))
	}
	return &descriptorpb.FileDescriptorProto{
		Name: proto.String("thing.proto"), Package: proto.String("thing"), Syntax: proto.String("proto3"),
		Dependency:  []string{"google/protobuf/any.proto", "google/protobuf/duration.proto", "google/protobuf/struct.proto"},
		MessageType: []*descriptorpb.DescriptorProto{m},
		Options:     &descriptorpb.FileOptions{GoPackage: proto.String("example.com/thing")},
	}
}

func newField(t *testing.T, name string, number int, text, rules string) *descriptorpb.FieldDescriptorProto {
	t.Helper()
	fd, of := &descriptorpb.FieldDescriptorProto{}, &validate.FieldRules{}
	if err := prototext.Unmarshal([]byte(text), fd); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := prototext.Unmarshal([]byte(rules), of); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	fd.Name, fd.JsonName, fd.Number = proto.String(name), proto.String(name), proto.Int32(int32(number))
	if fd.Label == nil {
		fd.Label = descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()
	}
	fd.Options = &descriptorpb.FieldOptions{}
	proto.SetExtension(fd.Options, validate.E_Field, of)
	return fd
}

// plugin is protoc's call for the last of the files.
func plugin(t *testing.T, comments bool, files ...*descriptorpb.FileDescriptorProto) *protogen.Plugin {
	t.Helper()
	all := []*descriptorpb.FileDescriptorProto{
		protodesc.ToFileDescriptorProto(anypb.File_google_protobuf_any_proto),
		protodesc.ToFileDescriptorProto(durationpb.File_google_protobuf_duration_proto),
		protodesc.ToFileDescriptorProto(structpb.File_google_protobuf_struct_proto),
	}
	all = append(all, files...)
	if comments {
		for _, file := range files {
			comment(file)
		}
	}
	p, err := protogen.Options{}.New(&pluginpb.CodeGeneratorRequest{FileToGenerate: []string{files[len(files)-1].GetName()}, ProtoFile: all})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// comment writes "Comment." above every message and field.
func comment(file *descriptorpb.FileDescriptorProto) {
	file.SourceCodeInfo = &descriptorpb.SourceCodeInfo{}
	at := func(path ...int32) {
		file.SourceCodeInfo.Location = append(file.SourceCodeInfo.Location, &descriptorpb.SourceCodeInfo_Location{
			Path: path, Span: []int32{0, 0, 0}, LeadingComments: proto.String(" Comment.\n"),
		})
	}
	for i, m := range file.GetMessageType() {
		at(4, int32(i))
		for j := range m.GetField() {
			at(4, int32(i), 2, int32(j))
		}
	}
}

func TestEachRuleInBothReferences(t *testing.T) {
	s, err := read(plugin(t, true, thingFile(t)).Files)
	if err != nil {
		t.Fatal(err)
	}
	text := string(markdown(s))
	for i, f := range s.Kinds[0].Fields {
		got, err := encode(property(f))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(thing[i].want, string(got)); diff != "" {
			t.Errorf("%s in JSON Schema (-want +got):\n%s", f.Name, diff)
		}
		if row := fmt.Sprintf("| `%s` | %s | Comment. |\n", f.Name, thing[i].words); !strings.Contains(text, row) {
			t.Errorf("%s: config.md has no row %s", f.Name, row)
		}
	}
}

func TestFieldWithoutCommentIsRefused(t *testing.T) {
	_, err := read(plugin(t, false, thingFile(t)).Files)
	if err == nil || !strings.Contains(err.Error(), "thing.proto: thing.Thing.plain has no comment") {
		t.Errorf("got %v", err)
	}
}

func TestUnknownRuleIsRefused(t *testing.T) {
	for _, c := range []struct{ field, rules, want string }{
		{`type: TYPE_STRING`, `string {email: true}`, `the rule "email" is not known`},
		{`type: TYPE_STRING label: LABEL_REPEATED`, `repeated {items {string {contains: "x"}}}`, `the rule "contains" is not known`},
		{`type: TYPE_MESSAGE type_name: ".google.protobuf.Duration"`, `duration {gt: {seconds: 3}}`, `the rule "gt" is not known`},
		{`type: TYPE_BYTES`, ``, `a field of kind bytes is not known`},
	} {
		file := thingFile(t)
		file.GetMessageType()[0].Field[1] = newField(t, "plain", 2, c.field, c.rules)
		_, err := read(plugin(t, true, file).Files)
		if err == nil || !strings.Contains(err.Error(), "thing.Thing.plain: "+c.want) {
			t.Errorf("%s: got %v, want %s", c.rules, err, c.want)
		}
	}
}

// What protoc hands over twice gives the same bytes twice: the drift check of CI rests on it.
func TestSameSchemaSameBytes(t *testing.T) {
	files := []protoreflect.FileDescriptor{
		graftv1alpha1.File_graft_v1alpha1_meta_proto, graftv1alpha1.File_graft_v1alpha1_filter_proto,
	}
	var outputs []string
	for range 2 {
		protos := []*descriptorpb.FileDescriptorProto{}
		seen := map[string]bool{"google/protobuf/any.proto": true, "google/protobuf/duration.proto": true, "google/protobuf/struct.proto": true}
		for _, f := range files {
			protos = withImports(protos, f, seen)
		}
		p := plugin(t, true, protos...)
		if err := generate(p); err != nil {
			t.Fatal(err)
		}
		outputs = append(outputs, p.Response().String())
	}
	if outputs[0] != outputs[1] || len(outputs[0]) < 10_000 {
		t.Errorf("two runs differ, or wrote too little (%d bytes)", len(outputs[0]))
	}
}

func withImports(to []*descriptorpb.FileDescriptorProto, f protoreflect.FileDescriptor, seen map[string]bool) []*descriptorpb.FileDescriptorProto {
	if seen[f.Path()] {
		return to
	}
	seen[f.Path()] = true
	for i := range f.Imports().Len() {
		to = withImports(to, f.Imports().Get(i).FileDescriptor, seen)
	}
	return append(to, protodesc.ToFileDescriptorProto(f))
}
