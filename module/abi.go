package module

import (
	"fmt"
	"strings"

	"github.com/graft-xds/graft/snapshot"
)

// abiVersions are the marker functions that Envoy looks for, and the ABI that each stands for.
var abiVersions = map[string]string{
	"proxy_abi_version_0_1_0": "0.1.0",
	"proxy_abi_version_0_2_0": "0.2.0",
	"proxy_abi_version_0_2_1": "0.2.1",
}

// Envoy caps the memory of a module at 1 GiB (proxy-wasm-cpp-host, limits.h).
const (
	pageSize = 64 << 10
	maxPages = 1 << 30 / pageSize
)

// named is how many names a text lists before it says "and 3 more".
const named = 6

// Check holds the module to what Envoy's Proxy-Wasm host asks of one when it loads it, and returns the first thing that
// Envoy would refuse, or stumble over later: a module without a memory that can be reached is loaded, and takes Envoy down
// with the first thing that is handed to it. The tables are those of V8 in Envoy 1.40; older ones offer less of WASI.
//
// The error is always a *snapshot.ModuleError.
func (i *Inspection) Check() error {
	for _, check := range []func() *snapshot.ModuleError{i.checkABI, i.checkMemory, i.checkAllocator, i.checkImports, i.checkCallbacks} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (i *Inspection) checkABI() *snapshot.ModuleError {
	if i.ABI != "" {
		return nil
	}
	e := &snapshot.ModuleError{
		Code: CodeABI,
		What: "exports no proxy_abi_version_*: this is not a Proxy-Wasm module",
		Hint: "build it with a Proxy-Wasm SDK; for C++ keep --export=proxy_abi_version_0_2_1",
	}
	for _, x := range i.Exports {
		if strings.HasPrefix(x.Name, "proxy_abi_version_") {
			e.What = fmt.Sprintf("exports %s, which Envoy does not know", x.Name)
			if x.Kind != Func {
				e.What = fmt.Sprintf("exports %s as a %s, not as a function", x.Name, x.Kind)
			}
			e.Hint = "build it with an SDK of the Proxy-Wasm ABI 0.1.0, 0.2.0 or 0.2.1"
			return e
		}
	}
	for _, name := range i.Custom {
		if name == "linking" {
			e.What = "this is an object file: it has not been linked to a module yet"
			e.Hint = "link it with wasm-ld, or let the compiler link it"
		}
	}
	return e
}

func (i *Inspection) checkMemory() *snapshot.ModuleError {
	e := &snapshot.ModuleError{Code: CodeMemory}
	exported := i.Memory.Imported
	for _, x := range i.Exports {
		exported = exported || x.Kind == Mem
	}
	switch {
	case i.Memories == 0 || !exported:
		e.What = "exports no memory; Envoy would load it and crash at its first call"
		e.Hint = `export the memory: (memory (export "memory") …), or link without --import-memory`
	case i.Memories > 1:
		e.What = fmt.Sprintf("has %d memories; Envoy works on one", i.Memories)
		e.Hint = "build it without the multi-memory feature"
	case i.Memory.Wide:
		e.What = "has a memory with 64-bit addresses; the Proxy-Wasm ABI is a 32-bit one"
		e.Hint = "build it for wasm32"
	case i.Memory.Min > maxPages:
		e.What = fmt.Sprintf("asks for %d pages of memory at its start (%s); Envoy gives at most %d (1 GiB)", i.Memory.Min, gibibytes(i.Memory.Min), maxPages)
		e.Hint = "lower the initial memory (--initial-memory of the linker), or the size of static data"
	default:
		return nil
	}
	return e
}

func gibibytes(pages uint64) string {
	return fmt.Sprintf("%.1f GiB", float64(pages)*pageSize/(1<<30))
}

func (i *Inspection) checkAllocator() *snapshot.ModuleError {
	for _, name := range []string{"malloc", "proxy_on_memory_allocate"} {
		if i.exports(name) {
			return nil
		}
	}
	return &snapshot.ModuleError{
		Code: CodeExport,
		What: "exports neither malloc nor proxy_on_memory_allocate, so Envoy cannot hand it anything",
		Hint: "build it with a Proxy-Wasm SDK; for C++ keep --export=malloc",
	}
}

func (i *Inspection) checkImports() *snapshot.ModuleError {
	var missing, mistyped []string
	hint := ""
	for _, m := range i.Imports {
		name := m.Module + "." + m.Name
		call, known := hostCall(m)
		switch {
		case m.Kind == Mem || m.Kind == Table:
		case m.Kind != Func:
			missing = append(missing, fmt.Sprintf("%s (a %s)", name, m.Kind))
		case !known:
			missing = append(missing, name)
		case !call.in(i.ABI):
			missing = append(missing, name)
			hint = fmt.Sprintf("%s belongs to ABI %s, and the module exports that of %s", m.Name, strings.Join(call.only, " and "), i.ABI)
		case m.Type != "" && m.Type != call.Type:
			mistyped = append(mistyped, fmt.Sprintf("%s as %s, which is %s", name, m.Type, call.Type))
		}
	}
	switch {
	case len(missing) > 0:
		if hint == "" {
			hint = importHint(missing)
		}
		return &snapshot.ModuleError{Code: CodeImport, What: "imports what Envoy does not offer: " + list(missing), Hint: hint}
	case len(mistyped) > 0:
		return &snapshot.ModuleError{
			Code: CodeImport,
			What: "imports with another type than Envoy's: " + list(mistyped),
			Hint: "use the Proxy-Wasm SDK's declaration of the call",
		}
	}
	return nil
}

// importHint guesses from the names why an import is there.
func importHint(missing []string) string {
	all := strings.Join(missing, " ")
	switch {
	case strings.Contains(all, "gojs.") || strings.Contains(all, "go.runtime."):
		return "this was built for browsers (GOOS=js); build with GOOS=wasip1 and -buildmode=c-shared"
	case strings.Contains(all, "wasi:"):
		return "this is a part of a component (WASI 0.2); build for wasm32-wasip1"
	case strings.Contains(all, "__wbindgen"):
		return "this was built by wasm-bindgen for browsers; build with cargo --target wasm32-wasip1"
	case strings.Contains(all, "env.__cxa_") || strings.Contains(all, "env.invoke_"):
		return "build C++ without exceptions: -fno-exceptions"
	}
	return "a function that is declared but not linked in becomes an import; link it, or remove the call"
}

func (i *Inspection) checkCallbacks() *snapshot.ModuleError {
	var wrong []string
	for _, x := range i.Exports {
		want := i.callback(x.Name)
		if x.Kind == Func && want != "" && x.Type != "" && x.Type != want {
			wrong = append(wrong, fmt.Sprintf("%s as %s, which is %s", x.Name, x.Type, want))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return &snapshot.ModuleError{
		Code: CodeExport,
		What: fmt.Sprintf("exports with another type than ABI %s has: %s", i.ABI, list(wrong)),
		Hint: "use one SDK, and the ABI version that it is made for",
	}
}

func list(names []string) string {
	if len(names) <= named {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:named], ", "), len(names)-named)
}
