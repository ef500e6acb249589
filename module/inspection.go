package module

import (
	"fmt"
	"slices"
)

// Inspection is what the sections of a module say about it, without a byte of it being run.
type Inspection struct {
	Size      int    // bytes of the binary
	ABI       string // "0.1.0", "0.2.0" or "0.2.1": the first proxy_abi_version_* function it exports; empty: none of these
	Imports   []Import
	Exports   []Export
	Memory    Memory // the first one
	Memories  int    // how many there are, imported ones included
	Functions int    // with a body; imported ones are in Imports
	Start     bool   // has a start section: a function that runs as soon as the module is instantiated
	Custom    []string
}

// Import is something that a module needs from its host.
type Import struct {
	Module string
	Name   string
	Kind   Kind
	Type   Signature // of functions; empty where the type is of a kind that this package does not read
}

// Export is something that a module offers to its host.
type Export struct {
	Name string
	Kind Kind
	Type Signature // of functions; empty where the type is of a kind that this package does not read
}

// Memory is the linear memory of a module, in pages of 64 KiB.
type Memory struct {
	Min      uint64
	Max      uint64 // 0 where there is no maximum
	Bounded  bool   // has a maximum
	Shared   bool
	Wide     bool // 64-bit addresses
	Imported bool
}

// Signature is the type of a function as text: "(i32 i32 i64) -> i32", "() -> ()".
type Signature string

// Kind is what an import or an export is; the numbers are those of the binary format.
type Kind byte

// The kinds of the core specification, §5.5.5 and §5.5.10.
const (
	Func Kind = iota
	Table
	Mem
	Global
	Tag
)

// String gives "function", "table", "memory", "global" or "tag".
func (k Kind) String() string {
	switch k {
	case Func:
		return "function"
	case Table:
		return "table"
	case Mem:
		return "memory"
	case Global:
		return "global"
	case Tag:
		return "tag"
	}
	return fmt.Sprintf("kind %d", byte(k))
}

// exports tells whether the module exports a function of that name.
func (i *Inspection) exports(name string) bool {
	return slices.ContainsFunc(i.Exports, func(e Export) bool { return e.Kind == Func && e.Name == name })
}
