package snapshot

import (
	"fmt"
	"strings"
)

// checker collects what is wrong with one document.
type checker struct {
	doc      *Document
	problems []Problem
	refused  bool // the document cannot be taken
}

// refuse adds a Problem that keeps the document out. The hint may be empty.
func (c *checker) refuse(code Code, field, hint, format string, args ...any) {
	c.refused = true
	c.problems = append(c.problems, problemAt(c.doc, code, field, hint, format, args...))
}

// unsupported refuses a field of the schema whose behaviour is not built yet, so that nobody believes that it works.
func (c *checker) unsupported(field string, written bool) {
	if written {
		c.refuse(CodeUnsupported, field, "remove it", "%s is not supported yet", strings.TrimPrefix(field, "spec."))
	}
}

// file gives the content of a file that the document names; false, with a Problem, if it could not be read.
func (c *checker) file(field, path string) ([]byte, bool) {
	file, known := c.doc.Files[path]
	switch {
	case !known:
		c.refuse(CodeFile, field, "", "%s was not read", path)
		return nil, false
	case file.Err != "":
		c.refuse(CodeFile, field, "the path is relative to the file that it is written in", "%s", file.Err)
		return nil, false
	}
	return file.Data, true
}

func problemAt(doc *Document, code Code, field, hint, format string, args ...any) Problem {
	return Problem{Origin: doc.At(field), Code: code, What: fmt.Sprintf(format, args...), Hint: hint}
}

// didYouMean names the nearest of the names, or all of them if there are few, so that a misspelling is seen at once.
func didYouMean(name, kind string, names []string) string {
	best, least := "", len(name)/3+2
	for _, candidate := range names {
		if d := distance(name, candidate); d < least {
			best, least = candidate, d
		}
	}
	const few = 8
	switch {
	case best != "":
		return fmt.Sprintf("did you mean %q?", best)
	case len(names) == 0:
		return "there is no " + kind
	case len(names) <= few:
		return fmt.Sprintf("there is %s", strings.Join(quoted(names), ", "))
	default:
		return fmt.Sprintf("there are %s and %d more", strings.Join(quoted(names[:few]), ", "), len(names)-few)
	}
}

func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = fmt.Sprintf("%q", name)
	}
	return out
}

// distance is the number of single-byte edits from a to b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
