package module

import "slices"

// sectionKind is one kind of section: its place in the order of the core specification, §5.5.2, and its reader.
type sectionKind struct {
	name string
	rank int // 0: anywhere, any number of times
	read func(*walk, *cursor)
}

// sectionTable is indexed by the section's id.
var sectionTable = [...]sectionKind{
	0:  {"custom", 0, (*walk).custom},
	1:  {"type", 1, (*walk).typeSection},
	2:  {"import", 2, (*walk).importSection},
	3:  {"function", 3, (*walk).functionSection},
	4:  {"table", 4, (*walk).tableSection},
	5:  {"memory", 5, (*walk).memorySection},
	6:  {"global", 7, (*walk).globalSection},
	7:  {"export", 8, (*walk).exportSection},
	8:  {"start", 9, (*walk).startSection},
	9:  {"element", 10, func(_ *walk, c *cursor) { c.count("element segments", 1, maxElements) }},
	10: {"code", 12, (*walk).codeSection},
	11: {"data", 13, func(w *walk, c *cursor) { w.segments = c.count("data segments", 2, maxSegments) }},
	12: {"data count", 11, (*walk).dataCountSection},
	13: {"tag", 6, func(w *walk, c *cursor) { w.counts[Tag] += c.count("tags", 2, maxTags) }},
}

func (w *walk) importSection(c *cursor) {
	n := c.count("imports", 4, maxImports)
	w.out.Imports = make([]Import, 0, n)
	for range n {
		i := Import{Module: c.name("the module name of an import"), Name: c.name("the name of an import")}
		start := c.at
		i.Kind = Kind(c.byte())
		switch i.Kind {
		case Func:
			index := c.u32()
			w.functions = append(w.functions, index)
			i.Type = w.signature(c, start, index)
		case Table:
			c.valueType()
			c.limits(false)
		case Mem:
			m := c.limits(true)
			m.Imported = true
			w.memory(m)
		case Global:
			c.valueType()
			if mutable := c.byte(); mutable > 1 {
				c.fail(start, "an imported global of unknown form %d", mutable)
			}
		case Tag:
			c.byte()
			c.u32()
		default:
			c.fail(start, "an import of unknown kind %d", i.Kind)
		}
		if c.err != nil {
			return
		}
		w.counts[i.Kind]++
		w.out.Imports = append(w.out.Imports, i)
	}
	c.whole("the import section")
}

func (w *walk) functionSection(c *cursor) {
	n := c.count("functions", 1, maxFunctions)
	w.counts[Func] += n
	w.functions = slices.Grow(w.functions, n)
	for range n {
		start := c.at
		index := c.u32()
		if c.err == nil && !w.unread && int(index) >= len(w.types) {
			c.fail(start, "a function is of type %d; there are %d types", index, len(w.types))
		}
		if c.err != nil {
			return
		}
		w.functions = append(w.functions, index)
	}
	c.whole("the function section")
}

func (w *walk) tableSection(c *cursor) {
	n := c.count("tables", 3, maxTables)
	w.counts[Table] += n
	for range n {
		if c.more() && c.data[c.at] == 0x40 {
			return // a table with an initial value, an expression: its length is not told
		}
		start := c.at
		c.valueType()
		if l := c.limits(false); l.Min > maxEntries {
			c.fail(start, "a table of %d entries; the limit is %d", l.Min, maxEntries)
		}
		if c.err != nil {
			return
		}
	}
	c.whole("the table section")
}

func (w *walk) memorySection(c *cursor) {
	for range c.count("memories", 2, maxTables) {
		m := c.limits(true)
		if c.err != nil {
			return
		}
		w.memory(m)
		w.counts[Mem]++
	}
	c.whole("the memory section")
}

func (w *walk) memory(m Memory) {
	if w.out.Memories == 0 {
		w.out.Memory = m
	}
	w.out.Memories++
}

func (w *walk) globalSection(c *cursor) { w.counts[Global] += c.count("globals", 4, maxGlobals) }

func (w *walk) exportSection(c *cursor) {
	n := c.count("exports", 3, maxExports)
	w.out.Exports = make([]Export, 0, n)
	seen := make(map[string]struct{}, n)
	for range n {
		start := c.at
		e := Export{Name: c.name("the name of an export"), Kind: Kind(c.byte())}
		index := c.u32()
		switch {
		case c.err != nil:
			return
		case e.Kind > Tag:
			c.fail(start, "export %q is of unknown kind %d", e.Name, e.Kind)
		case int(index) >= w.counts[e.Kind]:
			c.fail(start, "export %q is %s %d; there are %d", e.Name, e.Kind, index, w.counts[e.Kind])
		case e.Kind == Func:
			e.Type = w.signature(c, start, w.functions[index])
		}
		if _, twice := seen[e.Name]; twice {
			c.fail(start, "export %q stands there twice", e.Name)
		}
		if c.err != nil {
			return
		}
		seen[e.Name] = struct{}{}
		w.out.Exports = append(w.out.Exports, e)
		if abi, ok := abiVersions[e.Name]; ok && e.Kind == Func && w.out.ABI == "" {
			w.out.ABI = abi
		}
	}
	c.whole("the export section")
}

func (w *walk) startSection(c *cursor) {
	start := c.at
	if index := c.u32(); c.err == nil && int(index) >= w.counts[Func] {
		c.fail(start, "the start function is number %d; there are %d", index, w.counts[Func])
	}
	w.out.Start = true
	c.whole("the start section")
}

func (w *walk) dataCountSection(c *cursor) {
	w.announced = int(c.u32())
	c.whole("the data count section")
}

// codeSection steps from body to body; of each it reads the declarations of locals, which make an engine allocate, and
// the last byte.
func (w *walk) codeSection(c *cursor) {
	w.bodies = c.count("function bodies", 3, maxFunctions)
	for range w.bodies {
		start := c.at
		body := c.part("a function body", c.u32())
		if c.err == nil && body.left() > maxBody {
			c.fail(start, "a function of %d bytes; the limit is %d", body.left(), maxBody)
		}
		if c.err != nil {
			return
		}
		locals := uint64(0)
		for range body.count("groups of locals", 2, maxLocals) {
			locals += uint64(body.u32())
			body.valueType()
			if locals > maxLocals {
				body.fail(start, "a function with more than %d local variables", maxLocals)
			}
			if body.err != nil {
				break
			}
		}
		if body.err == nil && (body.left() == 0 || c.data[body.end-1] != opEnd) {
			body.fail(start, "a function body does not end with the instruction end")
		}
		if c.err = body.err; c.err != nil {
			return
		}
	}
	c.whole("the code section")
}

const opEnd = 0x0b
