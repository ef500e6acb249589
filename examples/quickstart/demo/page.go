package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// page is what the reader sees.
type page struct{ w io.Writer }

func (p page) line(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

// fact is one line of a table of two columns.
func (p page) fact(name, format string, args ...any) {
	p.line("  %-10s"+format, append([]any{name}, args...)...)
}

// indented writes each line of a text with two blanks in front.
func (p page) indented(text string) {
	for line := range strings.Lines(text) {
		p.line("%s", strings.TrimRight("  "+line, " \r\n"))
	}
}

// diff shows the lines that differ: what is between the common beginning and the common end of two texts.
func (p page) diff(old, text string) {
	a, b := strings.Split(old, "\n"), strings.Split(text, "\n")
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	for _, line := range a {
		p.line("  - %s", line)
	}
	for _, line := range b {
		p.line("  + %s", line)
	}
}

// length writes a duration as people say it.
func length(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// thousands writes a number with commas.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
