package sources

import "github.com/graft-xds/graft/snapshot"

// The kinds of problems that reading finds.
const (
	CodeUnreadable   snapshot.Code = "unreadable-file" // a file cannot be read: permissions, size, encoding
	CodeSyntax       snapshot.Code = "syntax"          // not YAML, or not JSON
	CodeUnknownKind  snapshot.Code = "unknown-kind"    // an object that graft does not read
	CodeUnknownField snapshot.Code = "unknown-field"   // a field that the schema does not have
	CodeUnknownType  snapshot.Code = "unknown-type"    // an @type that this build does not know
	CodeDuplicateKey snapshot.Code = "duplicate-key"   // one key written twice in a mapping
	CodeWrongType    snapshot.Code = "wrong-type"      // text where a number belongs, a mapping where a list belongs
	CodeMissing      snapshot.Code = "missing"         // a field that must be written is not
	CodeConflict     snapshot.Code = "conflict"        // fields that exclude each other
	CodeInvalid      snapshot.Code = "invalid"         // a value that the schema does not allow
)
