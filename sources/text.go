package sources

import (
	"bytes"
	"unicode/utf8"

	"github.com/graft-xds/graft/snapshot"
)

// notText gives the offset of the first byte that is no UTF-8 text: an encoding error, or a control character. -1: none.
func notText(text []byte) int {
	for i := 0; i < len(text); {
		c := text[i]
		if c >= 0x20 && c < 0x7f || c == '\n' || c == '\t' || c == '\r' {
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n <= 1 || r < 0xa0 && r != 0x85 || r == 0xfffe || r == 0xffff {
			return i
		}
		i += n
	}
	return -1
}

// positionOf says where an offset is, in lines and characters.
func positionOf(text []byte, offset int) snapshot.Position {
	before := text[:min(offset, len(text))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return snapshot.Position{Line: bytes.Count(before, []byte{'\n'}) + 1, Column: utf8.RuneCount(before[start:]) + 1}
}

// chunk is the text of one YAML document.
type chunk struct {
	text []byte
	line int // lines of the file before it
}

// split cuts a YAML stream into its documents and leaves out those that hold nothing but comments. A line that begins
// with `---` or `...` always ends a document, even inside a block scalar (YAML 1.2.2, 9.1.2 "c-forbidden"), so no
// parser is needed to find them.
func split(text []byte) []chunk {
	var out []chunk
	var current chunk
	content, directive := false, false
	end := func(at, line int, rest []byte) {
		if content {
			current.text = current.text[:at]
			out = append(out, current)
		}
		current, content, directive = chunk{text: rest, line: line}, false, false
	}
	current.text = text
	at, line := 0, 0 // of the line that is looked at: offset in current.text, lines before it in the file
	for at < len(current.text) {
		row := current.text[at:]
		next := len(row)
		if i := bytes.IndexByte(row, '\n'); i >= 0 {
			next = i + 1
		}
		row = row[:next]
		switch {
		case isMarker(row, "---") && !directive:
			end(at, line, current.text[at:])
			at = 0
			content = !blank(row[3:])
		case isMarker(row, "---"):
			directive, content = false, !blank(row[3:])
		case isMarker(row, "..."):
			end(at, line+1, current.text[at+next:])
			at, next = 0, 0
		case bytes.HasPrefix(row, []byte("%YAML")) && !content: // the parser knows 1.1 only, and reads 1.2 as well
			current.text = bytes.Clone(current.text)
			current.text[at] = '#'
		case row[0] == '%' && !content:
			directive = true
		case !blank(row):
			content = true
		}
		at += next
		line++
	}
	end(at, line, nil)
	return out
}

// isMarker tells whether a line is a document marker.
func isMarker(row []byte, marker string) bool {
	rest, ok := bytes.CutPrefix(row, []byte(marker))
	return ok && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0)
}

// blank tells whether a line, or the rest of one, says nothing.
func blank(row []byte) bool {
	row = bytes.TrimSpace(row)
	return len(row) == 0 || row[0] == '#'
}
