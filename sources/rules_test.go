package sources

import (
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// TestPatternWords: nobody is shown a regular expression; each that the schema has is put into words.
func TestPatternWords(t *testing.T) {
	patterns := 0
	eachField(graftv1alpha1.File_graft_v1alpha1_filter_proto.Messages(), func(fd protoreflect.FieldDescriptor) { patterns += checkPattern(t, fd) })
	eachField(graftv1alpha1.File_graft_v1alpha1_proxy_proto.Messages(), func(fd protoreflect.FieldDescriptor) { patterns += checkPattern(t, fd) })
	eachField(graftv1alpha1.File_graft_v1alpha1_meta_proto.Messages(), func(fd protoreflect.FieldDescriptor) { patterns += checkPattern(t, fd) })
	if patterns < 5 {
		t.Errorf("only %d patterns were found; the test looks in the wrong place", patterns)
	}
}

func eachField(messages protoreflect.MessageDescriptors, do func(protoreflect.FieldDescriptor)) {
	for i := range messages.Len() {
		for j := range messages.Get(i).Fields().Len() {
			do(messages.Get(i).Fields().Get(j))
		}
	}
}

func checkPattern(t *testing.T, fd protoreflect.FieldDescriptor) int {
	rules, ok := proto.GetExtension(fd.Options(), validate.E_Field).(*validate.FieldRules)
	if !ok || rules == nil || !rules.GetString().HasPattern() && !rules.GetRepeated().GetItems().GetString().HasPattern() {
		return 0
	}
	if words := patternWords(fd); words == "of the form "+string(fd.FullName()) {
		t.Errorf("the pattern of %s has no words", fd.FullName())
	}
	return 1
}
