package module

import (
	"fmt"
	"unicode/utf8"
)

// cursor reads a part of a Wasm binary. It keeps its first error and reads zeros from then on, so that a parser checks
// once for each item. It never allocates for what a length or a count promises, only for names that are there.
type cursor struct {
	data []byte // the whole binary, so that offsets in errors are those of the file
	at   int
	end  int
	err  error
}

// malformed is what is wrong with a binary, and where.
type malformed struct {
	offset int
	what   string
}

func (m *malformed) Error() string { return fmt.Sprintf("byte %#x: %s", m.offset, m.what) }

func (c *cursor) fail(offset int, format string, args ...any) {
	if c.err == nil {
		c.err = &malformed{offset: offset, what: fmt.Sprintf(format, args...)}
	}
}

func (c *cursor) left() int { return c.end - c.at }

func (c *cursor) more() bool { return c.err == nil && c.at < c.end }

func (c *cursor) byte() byte {
	if c.err != nil {
		return 0
	}
	if c.at >= c.end {
		c.fail(c.at, "ends in the middle of an item")
		return 0
	}
	b := c.data[c.at]
	c.at++
	return b
}

// uint reads an unsigned LEB128 number of so many bits: at most ⌈bits/7⌉ bytes, no bits beyond (core spec §5.2.2).
func (c *cursor) uint(bits int) uint64 {
	start := c.at
	var value uint64
	for shift := 0; c.err == nil; shift += 7 {
		b := c.byte()
		low := uint64(b & 0x7f)
		if shift >= bits || shift+7 > bits && low>>(bits-shift) != 0 {
			c.fail(start, "a number has more than %d bits", bits)
			break
		}
		value |= low << shift
		if b&0x80 == 0 {
			return value
		}
	}
	return 0
}

func (c *cursor) u32() uint32 { return uint32(c.uint(32)) }

// skipLEB steps over a number whose value does not matter.
func (c *cursor) skipLEB() {
	start := c.at
	for c.byte()&0x80 != 0 {
		if c.at-start >= 10 {
			c.fail(start, "a number is longer than 10 bytes")
		}
	}
}

// count reads how many items follow. Each takes at least size bytes, so a count that the section cannot hold is refused
// before anything is done for it.
func (c *cursor) count(what string, size, limit int) int {
	start := c.at
	n := int(c.u32())
	switch {
	case c.err != nil:
		return 0
	case n > c.left()/size:
		c.fail(start, "promises %d %s in %d bytes", n, what, c.left())
		return 0
	case n > limit:
		c.fail(start, "has %d %s; the limit is %d", n, what, limit)
		return 0
	}
	return n
}

// part cuts off the next n bytes as a cursor of their own.
func (c *cursor) part(what string, n uint32) cursor {
	if c.err == nil && int64(n) > int64(c.left()) {
		c.fail(c.at, "%s is %d bytes long, but the file has only %d more there", what, n, c.left())
	}
	if c.err != nil {
		return cursor{data: c.data, at: c.at, end: c.at, err: c.err}
	}
	p := cursor{data: c.data, at: c.at, end: c.at + int(n)}
	c.at = p.end
	return p
}

// name reads a name: a length and that many bytes of UTF-8.
func (c *cursor) name(what string) string {
	n := c.u32()
	start := c.at
	p := c.part(what, n)
	if c.err != nil {
		return ""
	}
	raw := c.data[p.at:p.end]
	if len(raw) > maxName {
		c.fail(start, "%s is %d bytes long; the limit is %d", what, len(raw), maxName)
		return ""
	}
	if !utf8.Valid(raw) {
		c.fail(start, "%s is not UTF-8", what)
		return ""
	}
	return string(raw)
}

// whole fails when something is left over.
func (c *cursor) whole(what string) {
	if c.err == nil && c.at != c.end {
		c.fail(c.at, "%s has %d bytes too many", what, c.left())
	}
}
