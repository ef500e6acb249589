package module

import "strings"

// Forms of types, core specification §5.3.
const (
	formFunc      = 0x60
	formArray     = 0x5e
	formStruct    = 0x5f
	formSub       = 0x50
	formFinal     = 0x4f
	formRec       = 0x4e
	refNull       = 0x63
	refNotNull    = 0x64
	firstAbstract = 0x69 // exnref … 0x74: references that take one byte
	lastAbstract  = 0x74
)

// typeSection notes where each function type begins. At the first type of another form (garbage collection, which no
// Proxy-Wasm SDK uses) it stops: what uses a later type has no Signature, and the engine has the last word.
func (w *walk) typeSection(c *cursor) {
	for range c.count("types", 2, maxTypes) {
		start := c.at
		switch form := c.byte(); form {
		case formFunc:
			for _, what := range []string{"parameters", "results"} {
				for range c.count(what, 1, maxParams) {
					c.valueType()
				}
			}
		case formArray, formStruct, formSub, formFinal, formRec:
			w.unread = true
			return
		default:
			c.fail(start, "a type of unknown form %#x", form)
		}
		if c.err != nil {
			return
		}
		w.types = append(w.types, uint32(start))
	}
	c.whole("the type section")
}

// signature gives the text of a function type. It is made once for each type, so that a thousand imports of a type with
// a thousand parameters cost no more than one.
func (w *walk) signature(c *cursor, offset int, index uint32) Signature {
	if c.err != nil {
		return ""
	}
	if int(index) >= len(w.types) {
		if !w.unread {
			c.fail(offset, "names type %d; there are %d types", index, len(w.types))
		}
		return ""
	}
	if s, ok := w.signatures[index]; ok {
		return s
	}
	t := cursor{data: c.data, at: int(w.types[index]) + 1, end: len(c.data)}
	params := t.valueTypes()
	results := t.valueTypes()
	text := "(" + strings.Join(params, " ") + ") -> "
	if len(results) == 1 {
		text += results[0]
	} else {
		text += "(" + strings.Join(results, " ") + ")"
	}
	w.signatures[index] = Signature(text)
	return Signature(text)
}

func (c *cursor) valueTypes() []string {
	n := c.u32()
	names := make([]string, 0, n)
	for range n {
		names = append(names, c.valueType())
	}
	return names
}

// valueType reads a number, vector or reference type.
func (c *cursor) valueType() string {
	start := c.at
	switch b := c.byte(); {
	case c.err != nil:
		return ""
	case b == 0x7f:
		return "i32"
	case b == 0x7e:
		return "i64"
	case b == 0x7d:
		return "f32"
	case b == 0x7c:
		return "f64"
	case b == 0x7b:
		return "v128"
	case b == refNull, b == refNotNull:
		c.skipLEB()
		return "ref"
	case b >= firstAbstract && b <= lastAbstract:
		return "ref"
	default:
		c.fail(start, "a value of unknown type %#x", b)
		return ""
	}
}

// limits reads the size of a table or of a memory (§5.3.8, with the threads and memory64 extensions).
func (c *cursor) limits(memory bool) Memory {
	start := c.at
	flags := c.byte()
	if flags > 7 || flags > 5 && !memory {
		c.fail(start, "limits of unknown form %d", flags)
	}
	m := Memory{Bounded: flags&1 != 0, Shared: flags&2 != 0, Wide: flags&4 != 0}
	bits := 32
	if m.Wide {
		bits = 64
	}
	m.Min = c.uint(bits)
	if m.Bounded {
		m.Max = c.uint(bits)
		if m.Max < m.Min {
			c.fail(start, "limits whose maximum %d is below the minimum %d", m.Max, m.Min)
		}
	}
	return m
}
