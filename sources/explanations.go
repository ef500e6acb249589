package sources

import "github.com/graft-xds/graft/snapshot"

// Explanations lists the codes of the problems that reading finds, in the order in which a document meets them.
func Explanations() []snapshot.Explanation {
	return []snapshot.Explanation{
		{Code: CodeUnreadable, Meaning: "A file cannot be read: it may not be, it is too large, or its text is not UTF-8. What it held last stays in force."},
		{Code: CodeSyntax, Meaning: "The text is not YAML, or not JSON. All that the file held last stays in force, for what else it says cannot be trusted."},
		{Code: CodeUnknownKind, Meaning: "The object is of a kind or version that graft does not read."},
		{Code: CodeDuplicateKey, Meaning: "A mapping has one key twice."},
		{Code: CodeUnknownField, Meaning: "The schema has no such field. It is refused rather than ignored, for it was meant to do something."},
		{Code: CodeUnknownType, Meaning: "An `@type` names a message that this build of graft does not know."},
		{Code: CodeWrongType, Meaning: "The value is of another sort than the field: text where a number belongs, a mapping where a list belongs."},
		{Code: CodeMissing, Meaning: "A field that must be written is not."},
		{Code: CodeConflict, Meaning: "Fields that exclude each other stand side by side."},
		{Code: CodeInvalid, Meaning: "The schema does not allow this value."},
	}
}
