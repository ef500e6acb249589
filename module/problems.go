package module

import "github.com/graft-xds/graft/snapshot"

// Codes of a snapshot.ModuleError. Explanations says what each means.
const (
	CodeMissing     snapshot.Code = "module-missing"
	CodeUnreadable  snapshot.Code = "module-unreadable"
	CodeTooLarge    snapshot.Code = "module-too-large"
	CodeUnsupported snapshot.Code = "module-unsupported"
	CodeDigest      snapshot.Code = "module-digest"
	CodeNotWasm     snapshot.Code = "module-not-wasm"
	CodeComponent   snapshot.Code = "module-component"
	CodeDamaged     snapshot.Code = "module-damaged"
	CodeABI         snapshot.Code = "module-abi"
	CodeImport      snapshot.Code = "module-import"
	CodeExport      snapshot.Code = "module-export"
	CodeMemory      snapshot.Code = "module-memory"
	CodeLost        snapshot.Code = "module-lost"
	CodeStore       snapshot.Code = "module-store"
)

// Explanations lists all codes of this package, in the order in which a module meets them.
func Explanations() []snapshot.Explanation {
	return []snapshot.Explanation{
		{Code: CodeUnsupported, Meaning: "The module is at a place that graft cannot fetch from yet."},
		{Code: CodeMissing, Meaning: "There is no file at the path of the module. If the path held one when graft ran last, that one stays in use."},
		{Code: CodeUnreadable, Meaning: "The file of the module is there but cannot be read. Errors that may pass are tried again."},
		{Code: CodeTooLarge, Meaning: "The module is larger than the size limit."},
		{Code: CodeDigest, Meaning: "The bytes of the module are not those that `sha256` pins."},
		{Code: CodeNotWasm, Meaning: "The file is something else than a Wasm binary: an archive, a program, a text."},
		{Code: CodeComponent, Meaning: "The file is a WebAssembly component. Envoy runs core modules."},
		{Code: CodeDamaged, Meaning: "The file begins as a Wasm module but does not hold together: it is cut off, damaged, or beyond a limit of the engine."},
		{Code: CodeABI, Meaning: "The module exports no version of the Proxy-Wasm ABI that Envoy knows: it was not built with a Proxy-Wasm SDK, or its markers were stripped."},
		{Code: CodeMemory, Meaning: "The module has no memory, several, or one that Envoy cannot give it."},
		{Code: CodeExport, Meaning: "The module lacks a function that Envoy needs, or exports a callback with another signature than the ABI has."},
		{Code: CodeImport, Meaning: "The module imports something that Envoy does not offer. Envoy would refuse to load it."},
		{Code: CodeLost, Meaning: "The bytes of a module that was in use before are not in the store any more, or are damaged there."},
		{Code: CodeStore, Meaning: "The module cannot be written to the store. It is used from memory; delivery by file and a restart without the module's file need the store."},
	}
}
