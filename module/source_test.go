package module

import "encoding/binary"

// source describes a module for tests: what it imports, exports and how large its memory is. bytes assembles it.
type source struct {
	imports []item
	exports []item // functions get a body of their own; other kinds are index 0 of theirs
	memory  []byte // limits; nil: none of its own
	tail    [][]byte
}

// item is an import or an export. params and results are value types, one byte each.
type item struct {
	module  string
	name    string
	kind    Kind
	params  string
	results string
	one     bool // the function returns one, not zero: a callback that says yes
}

const (
	i32 = "\x7f"
	i64 = "\x7e"
)

// melon is the smallest useful filter: it has all that Envoy asks for.
func melon() source {
	return source{
		imports: []item{{module: "env", name: "proxy_add_header_map_value", params: i32 + i32 + i32 + i32 + i32, results: i32}},
		memory:  []byte{0, 2},
		exports: []item{
			{name: "memory", kind: Mem},
			{name: "proxy_abi_version_0_2_1"},
			{name: "proxy_on_memory_allocate", params: i32, results: i32},
			{name: "proxy_on_response_headers", params: i32 + i32 + i32, results: i32},
		},
	}
}

func (s source) bytes() []byte {
	var types, imports, functions, exports, code [][]byte
	for _, i := range s.imports {
		one := cat(text(i.module), text(i.name), []byte{byte(i.kind)})
		switch i.kind {
		case Func:
			one = cat(one, uleb(uint64(len(types))))
			types = append(types, funcType(i))
		case Table:
			one = cat(one, []byte{0x70, 0, 1})
		case Mem:
			one = cat(one, []byte{0, 1})
		case Global:
			one = cat(one, []byte{0x7f, 0})
		case Tag:
			one = cat(one, []byte{0, 0})
		}
		imports = append(imports, one)
	}
	for _, e := range s.exports {
		index := uint64(0)
		if e.kind == Func {
			index = uint64(len(types))
			functions = append(functions, uleb(uint64(len(types))))
			types = append(types, funcType(e))
			code = append(code, body(e))
		}
		exports = append(exports, cat(text(e.name), []byte{byte(e.kind)}, uleb(index)))
	}
	parts := [][]byte{[]byte("\x00asm\x01\x00\x00\x00"), vector(1, types), vector(2, imports), vector(3, functions)}
	if s.memory != nil {
		parts = append(parts, vector(5, [][]byte{s.memory}))
	}
	parts = append(parts, vector(7, exports), vector(10, code))
	return cat(append(parts, s.tail...)...)
}

func funcType(i item) []byte {
	return cat([]byte{formFunc}, text(i.params), text(i.results))
}

// body returns zero, or nothing.
func body(i item) []byte {
	b := []byte{0}
	value := byte(0)
	if i.one {
		value = 1
	}
	for _, r := range i.results {
		b = append(b, map[rune]byte{0x7f: 0x41, 0x7e: 0x42}[r], value)
	}
	b = append(b, opEnd)
	return cat(uleb(uint64(len(b))), b)
}

func vector(id byte, items [][]byte) []byte {
	return section(id, uleb(uint64(len(items))), cat(items...))
}

func section(id byte, content ...[]byte) []byte {
	c := cat(content...)
	return cat([]byte{id}, uleb(uint64(len(c))), c)
}

func custom(name string, content ...byte) []byte { return section(0, text(name), content) }

func text(s string) []byte { return cat(uleb(uint64(len(s))), []byte(s)) }

func uleb(v uint64) []byte { return binary.AppendUvarint(nil, v) }

func cat(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// header is the eight bytes that each module begins with.
func header(sections ...[]byte) []byte {
	return cat([]byte("\x00asm\x01\x00\x00\x00"), cat(sections...))
}
