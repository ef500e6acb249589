package sources

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/graft-xds/graft/snapshot"
)

// check applies the rules of the schema and reports in plain words what they find, but not where a problem was found
// already: a field with a misspelt name is not missing as well.
func (r *reader) check(rules protovalidate.Validator, message proto.Message) {
	err := rules.Validate(message)
	var invalid *protovalidate.ValidationError
	switch {
	case err == nil:
		return
	case !errors.As(err, &invalid):
		r.report(r.place(""), "", CodeInvalid, err.Error(), "")
		return
	}
	wrong := slices.Clone(r.wrong)
	for _, v := range invalid.Violations {
		r.violation(v, message.ProtoReflect().Descriptor(), wrong)
	}
}

func (r *reader) violation(v *protovalidate.Violation, md protoreflect.MessageDescriptor, wrong []string) {
	path, fd, one := fieldPath(v.Proto.GetField(), md)
	if one != nil {
		r.missingMember(one, path, wrong)
		return
	}
	if slices.Contains(r.wrong, path) || slices.ContainsFunc(wrong, func(w string) bool { return within(w, path) || within(path, w) && w != "" }) {
		return
	}
	code, what, hint := words(v, fd)
	r.report(r.place(path), path, code, what, hint)
}

func (r *reader) missingMember(one protoreflect.OneofDescriptor, path string, wrong []string) {
	if slices.Contains(wrong, path) {
		return
	}
	names := memberNames(one, own)
	for _, name := range names {
		if slices.ContainsFunc(wrong, func(w string) bool { return within(w, join(path, name)) }) {
			return
		}
	}
	r.report(r.place(path), path, CodeMissing, "none of "+listed(names)+" is set", "write exactly one of them")
}

// place says where a field stands, or the nearest around it that was written.
func (r *reader) place(path string) snapshot.Position {
	d := snapshot.Document{Positions: r.positions}
	at := d.At(path)
	if at.Line == 0 {
		return snapshot.Position{Line: r.top.Line, Column: r.top.Column}
	}
	return snapshot.Position{Line: at.Line, Column: at.Column}
}

// within tells whether a path is another one or inside it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || outer == "" || rest[0] == '.' || rest[0] == '[')
}

// fieldPath gives the path in the names that people write, and the field or the oneof that it ends in.
func fieldPath(fp *validate.FieldPath, md protoreflect.MessageDescriptor) (path string, fd protoreflect.FieldDescriptor, one protoreflect.OneofDescriptor) {
	for _, e := range fp.GetElements() {
		fd = md.Fields().ByName(protoreflect.Name(e.GetFieldName()))
		if fd == nil {
			return path, nil, md.Oneofs().ByName(protoreflect.Name(e.GetFieldName()))
		}
		path = join(path, fd.JSONName())
		switch {
		case e.HasIndex():
			path = item(path, int(e.GetIndex()))
		case e.HasStringKey():
			path = join(path, e.GetStringKey())
		}
		switch {
		case fd.IsMap() && fd.MapValue().Message() != nil:
			md = fd.MapValue().Message()
		case fd.Message() != nil:
			md = fd.Message()
		}
	}
	return path, fd, nil
}

// words says what a violated rule means.
func words(v *protovalidate.Violation, fd protoreflect.FieldDescriptor) (code snapshot.Code, what, hint string) {
	text := ""
	if v.FieldValue.IsValid() {
		text = fmt.Sprint(v.FieldValue.Interface())
	}
	switch id := v.Proto.GetRuleId(); id {
	case "required":
		return CodeMissing, "missing", ""
	case "string.min_len", "string.pattern", "string.prefix":
		if text == "" {
			return CodeMissing, "missing", ""
		}
	case "string.in":
		return inWords(v, text)
	}
	switch v.Proto.GetRuleId() {
	case "string.pattern":
		return CodeInvalid, fmt.Sprintf("%q is not %s", text, patternWords(fd)), ""
	case "string.prefix":
		return CodeInvalid, fmt.Sprintf("%q does not begin with %q", text, v.RuleValue.String()), ""
	case "string.max_len":
		return CodeInvalid, fmt.Sprintf("longer than %v characters", v.RuleValue.Interface()), ""
	case "repeated.unique":
		return CodeDuplicateKey, "one value stands twice in this list", "remove one of them"
	}
	said := strings.NewReplacer("greater than or equal to", "at least", "less than or equal to", "at most", "greater than", "more than",
		"must be in list [0, ", "must be one of [").Replace(v.Proto.GetMessage())
	return CodeInvalid, said, ""
}

func inWords(v *protovalidate.Violation, text string) (snapshot.Code, string, string) {
	var names []string
	for list, i := v.RuleValue.List(), 0; i < list.Len(); i++ {
		names = append(names, list.Get(i).String())
	}
	return CodeInvalid, fmt.Sprintf("%q is none of %s", text, listed(names)), meant(text, names)
}

// patternWords says what the regular expression of a field asks for.
func patternWords(fd protoreflect.FieldDescriptor) string {
	switch fd.FullName() {
	case "graft.v1alpha1.ObjectMeta.name", "graft.v1alpha1.ObjectMeta.namespace":
		return `a name of lower case letters, digits, "-" and ".", with a letter or digit at both ends`
	case "graft.v1alpha1.Wasm.sha256":
		return "64 lower case hex digits"
	case "graft.v1alpha1.Listener.name":
		return `a name of letters, digits, "-", "_" and ".", with a letter or digit at both ends`
	case "graft.v1alpha1.Route.methods":
		return "a method in upper case letters"
	case "graft.v1alpha1.Route.rewrite":
		return "a path that begins with /"
	}
	return "of the form " + fmt.Sprint(fd.FullName())
}
