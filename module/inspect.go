package module

import (
	"errors"
	"fmt"

	"github.com/graft-xds/graft/snapshot"
)

// Limits of the WebAssembly JavaScript API (§ "Implementation-defined limits"), which V8 obeys; imports and exports are
// held to a tenth of it, far above any real module, so that what an Inspection holds stays small.
const (
	maxTypes     = 1_000_000
	maxFunctions = 1_000_000
	maxImports   = 100_000
	maxExports   = 100_000
	maxCustom    = 10_000 // ours
	maxName      = 100_000
	maxParams    = 1_000
	maxBody      = 7_654_321
	maxLocals    = 50_000
	maxTables    = 100_000
	maxEntries   = 10_000_000 // of a table
	maxGlobals   = 1_000_000
	maxTags      = 1_000_000
	maxSegments  = 100_000
	maxElements  = 10_000_000
)

// Inspect walks over the sections of a Wasm binary. It never trusts a length: time and memory are bounded by the bytes
// that are there. It checks what a damaged, cut off or hostile file gets wrong: order and bounds of the sections, counts,
// indexes of exports, one body for each function. It does not validate the instructions, which is the engine's part.
//
// A file that was cut off exactly after a whole section can still be a module, if what is missing is only its data and
// custom sections and it has no count of its data segments; nothing in the format tells.
//
// The error is always a *snapshot.ModuleError.
func Inspect(binary []byte) (*Inspection, error) {
	if err := foreign(binary); err != nil {
		return nil, err
	}
	w := walk{out: &Inspection{Size: len(binary)}, signatures: map[uint32]Signature{}}
	if err := w.sections(binary); err != nil {
		var m *malformed
		errors.As(err, &m)
		return nil, &snapshot.ModuleError{
			Code: CodeDamaged,
			What: fmt.Sprintf("damaged or cut off Wasm module: byte %#x: %s", m.offset, m.what),
			Hint: "build or copy it again",
		}
	}
	return w.out, nil
}

// walk is one run over a binary.
type walk struct {
	out        *Inspection
	types      []uint32 // offset of each function type
	unread     bool     // there are types of a form that is not read (garbage collection): indexes may lie beyond types
	signatures map[uint32]Signature
	functions  []uint32 // type of each function, imported ones first
	counts     [5]int   // items of each Kind, imported ones included
	named      bool     // had a name section
	bodies     int
	segments   int // data segments
	announced  int // data segments that the data count section announces; -1: no such section
}

// sections walks over all of them and then checks what concerns several.
func (w *walk) sections(binary []byte) error {
	c := cursor{data: binary, at: 8, end: len(binary)}
	w.announced = -1
	last := 0
	for c.more() {
		start := c.at
		id := c.byte()
		size := c.u32()
		if c.err == nil && int(id) >= len(sectionTable) {
			c.fail(start, "unknown section %d", id)
		}
		if c.err != nil {
			return c.err
		}
		section := sectionTable[id]
		body := c.part("the "+section.name+" section", size)
		if section.rank > 0 && section.rank <= last && c.err == nil {
			c.fail(start, "the %s section comes twice or too late", section.name)
		}
		if c.err != nil {
			return c.err
		}
		last = max(last, section.rank)
		section.read(w, &body)
		if body.err != nil {
			return body.err
		}
	}
	w.agree(&c)
	return c.err
}

// agree checks the counts of sections against each other.
func (w *walk) agree(c *cursor) {
	w.out.Functions = len(w.functions) - w.imported(Func)
	switch {
	case c.err != nil:
	case w.bodies != w.out.Functions:
		c.fail(c.at, "declares %d functions and has bodies for %d", w.out.Functions, w.bodies)
	case w.announced >= 0 && w.announced != w.segments:
		c.fail(c.at, "announces %d data segments and has %d", w.announced, w.segments)
	}
}

func (w *walk) imported(kind Kind) int {
	n := 0
	for _, i := range w.out.Imports {
		if i.Kind == kind {
			n++
		}
	}
	return n
}
