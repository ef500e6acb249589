package sources

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/graft-xds/graft/snapshot"
)

// parseYAML parses the text of one document, which stands behind so many lines of its file. It gives nil for one that is
// null.
func parseYAML(text []byte, line int) (*yaml.Node, *failure) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, syntax(err, text, line, decoder)
	}
	root := document.Content[0]
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
		return nil, nil
	}
	return root, nil
}

// syntax says in plain words what the parser stumbled over, and where.
func syntax(err error, text []byte, line int, decoder *yaml.Decoder) *failure {
	failed := &failure{code: CodeSyntax}
	if at := conflictMarker.FindIndex(text); at != nil {
		failed.at = positionOf(text, at[0])
		failed.at.Line += line
		failed.what = "a merge conflict that nobody resolved"
		failed.hint = "keep one side, and remove the lines <<<<<<<, ======= and >>>>>>>"
		return failed
	}
	reason := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := lineOfError.FindStringSubmatch(reason); m != nil {
		failed.at.Line, _ = strconv.Atoi(m[1])
		reason = m[2]
	}
	problem, opened := marks(decoder)
	if problem.Line > 0 {
		failed.at = problem
	}
	failed.what, failed.hint = plain(reason, charAt(text, failed.at))
	switch {
	case opened.Line == 0:
	case unclosed(reason):
		failed.hint = fmt.Sprintf("%q in line %d is not closed", charAt(text, opened), opened.Line+line)
	case reason == "could not find expected ':'", strings.HasPrefix(reason, "found unexpected"):
		failed.at = opened
	}
	failed.hint = cmp.Or(failed.hint, "look at the indentation here and in the line before, and whether each bracket and quote is closed")
	failed.at.Line += line
	return failed
}

var (
	lineOfError    = regexp.MustCompile(`^line (\d+): (.*)$`)
	conflictMarker = regexp.MustCompile(`(?m)^<<<<<<< `)
)

func unclosed(reason string) bool {
	return strings.HasPrefix(reason, "did not find expected ','")
}

// marks gives the exact place of a syntax error, and where what it is part of began. The parser knows both, but puts
// only one line into its error, often that of the enclosing block; so they are read from the parser's state. Where that
// state looks different from what is expected they are zero, and the line of the error has to do.
func marks(decoder *yaml.Decoder) (problem, began snapshot.Position) {
	outer := inside(reflect.ValueOf(decoder), "parser")
	parser := inside(outer, "parser")
	if failed := inside(parser, "error"); failed.IsValid() && failed.IsZero() { // an unknown anchor: the event is the alias
		return place(inside(inside(outer, "event"), "start_mark")), snapshot.Position{}
	}
	began = place(inside(parser, "context_mark"))
	if context := inside(parser, "context"); !context.IsValid() || context.IsZero() {
		began = snapshot.Position{}
	}
	return place(inside(parser, "problem_mark")), began
}

// inside gives a field of a struct, or the zero Value.
func inside(v reflect.Value, field string) reflect.Value {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	return v.FieldByName(field)
}

func place(mark reflect.Value) snapshot.Position {
	line, column := inside(mark, "line"), inside(mark, "column")
	if !line.IsValid() || !line.CanInt() || !column.IsValid() || !column.CanInt() {
		return snapshot.Position{}
	}
	return snapshot.Position{Line: int(line.Int()) + 1, Column: int(column.Int()) + 1}
}

// charAt gives the character at a place, or 0 past the end.
func charAt(text []byte, at snapshot.Position) rune {
	for line := 1; line < at.Line; line++ {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			return 0
		}
		text = text[i+1:]
	}
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	if row := []rune(string(text)); at.Column >= 1 && at.Column <= len(row) {
		return row[at.Column-1]
	}
	return 0
}

// plain puts the parser's reason into words for people who do not write parsers.
func plain(reason string, c rune) (what, hint string) {
	if name, ok := strings.CutPrefix(reason, "unknown anchor '"); ok {
		name = strings.TrimSuffix(name, "' referenced")
		return fmt.Sprintf("the alias *%s stands for nothing", name), fmt.Sprintf("write &%s before the value that it stands for, or put the text in quotes", name)
	}
	switch reason {
	case "mapping values are not allowed in this context":
		return `a ":" that cannot stand here`, `put text that holds ": " in quotes; fields of one mapping have the same indentation`
	case "did not find expected key":
		return "expected the name of a field", "fields of one mapping have the same indentation"
	case "could not find expected ':'":
		return `expected ":" after the name of a field`, `write name: value`
	case "did not find expected '-' indicator":
		return `expected "- "`, "items of one list have the same indentation"
	case "did not find expected ',' or ']'":
		return `expected "," or "]"`, ""
	case "did not find expected ',' or '}'":
		return `expected "," or "}"`, ""
	case "block sequence entries are not allowed in this context":
		return `a list item ("- ") cannot stand here`, "begin the list on the next line"
	case "found unexpected end of stream", "found unexpected document indicator":
		return "the text ends inside quotes", "close the quotes"
	case "found unknown escape character":
		return "an unknown escape in double quotes", `write \\ for a backslash, or use single quotes`
	case "found a tab character that violates indentation", "found a tab character where an indentation space is expected":
		return "a tab cannot indent", "use spaces"
	case "found character that cannot start any token":
		if c == '\t' {
			return "a tab cannot indent", "use spaces"
		}
		return fmt.Sprintf("text cannot begin with %q", c), "put it in quotes"
	}
	return strings.ReplaceAll(reason, "did not find expected", "expected"), ""
}
