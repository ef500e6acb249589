package module

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/test/envoytest"
)

// verdict is what becomes of a module that holds together. An empty code: it passes.
type verdict struct {
	name   string
	module source
	code   snapshot.Code
	what   string
	hint   string
}

func verdicts() []verdict {
	edit := func(change func(*source)) source {
		s := melon()
		change(&s)
		return s
	}
	imports := func(items ...item) source {
		return edit(func(s *source) { s.imports = append(s.imports, items...) })
	}
	exports := func(items ...item) source {
		return edit(func(s *source) { s.exports = append(s.exports, items...) })
	}
	abi := func(version string) source {
		return edit(func(s *source) { s.exports[1].name = "proxy_abi_version_" + version })
	}
	with := func(s source, items ...item) source {
		s.imports = append(s.imports, items...)
		return s
	}
	const (
		sdk     = "build it with a Proxy-Wasm SDK; for C++ keep --export=proxy_abi_version_0_2_1"
		unknown = "a function that is declared but not linked in becomes an import; link it, or remove the call"
		handed  = `export the memory: (memory (export "memory") …), or link without --import-memory`
		oneSDK  = "use one SDK, and the ABI version that it is made for"
	)
	none := "exports no proxy_abi_version_*: this is not a Proxy-Wasm module"
	return []verdict{
		{name: "melon", module: melon()},
		{name: "ABI 0.2.0", module: abi("0_2_0")},
		{name: "an Emscripten module imports its memory", module: edit(func(s *source) {
			s.memory, s.exports = nil, s.exports[1:]
			s.imports = append(s.imports, item{module: "env", name: "memory", kind: Mem})
		})},
		{name: "the memory has another name", module: edit(func(s *source) { s.exports[0].name = "mem" })},
		{name: "malloc", module: edit(func(s *source) { s.exports[2].name = "malloc" })},
		{name: "a gigabyte", module: edit(func(s *source) { s.memory = cat([]byte{0}, uleb(16384)) })},
		{name: "a table", module: imports(item{module: "env", name: "t", kind: Table})},
		{name: "calls of 0.2.1", module: imports(
			item{module: "env", name: "proxy_get_log_level", params: i32, results: i32},
			item{module: "env", name: "proxy_continue_stream", params: i32, results: i32},
		)},
		{name: "calls of 0.1.0", module: edit(func(s *source) {
			s.exports[1].name, s.exports[3].params = "proxy_abi_version_0_1_0", i32+i32
			s.imports = append(s.imports,
				item{module: "env", name: "proxy_get_configuration", params: i32 + i32, results: i32},
				item{module: "env", name: "proxy_clear_route_cache", results: i32},
			)
		})},
		{name: "the older name of WASI", module: imports(item{module: "wasi_unstable", name: "proc_exit", params: i32})},
		{name: "a reactor with a main", module: exports(item{name: "_initialize"}, item{name: "main", params: i32 + i32, results: i32})},
		{name: "a program", module: exports(item{name: "_start"}, item{name: "main"})},
		{name: "malloc makes the other allocator a mere name", module: exports(
			item{name: "malloc", params: i32, results: i32}, item{name: "proxy_on_memory_allocate_", params: i64},
		)},

		{"no ABI", edit(func(s *source) { s.exports[1].name = "hello" }), CodeABI, none, sdk},
		{
			"the marker is no function", edit(func(s *source) { s.exports[0].name, s.exports[1].name = "proxy_abi_version_0_2_1", "hello" }), CodeABI,
			"exports proxy_abi_version_0_2_1 as a memory, not as a function", "build it with an SDK of the Proxy-Wasm ABI 0.1.0, 0.2.0 or 0.2.1",
		},
		{"ABI of the future", abi("0_3_0"), CodeABI, "exports proxy_abi_version_0_3_0, which Envoy does not know", "build it with an SDK of the Proxy-Wasm ABI 0.1.0, 0.2.0 or 0.2.1"},
		{"an object file", edit(func(s *source) {
			s.exports[1].name = "hello"
			s.tail = [][]byte{custom("linking", 2)}
		}), CodeABI, "this is an object file: it has not been linked to a module yet", "link it with wasm-ld, or let the compiler link it"},
		{"no memory", edit(func(s *source) { s.memory, s.exports = nil, s.exports[1:] }), CodeMemory, "exports no memory; Envoy would load it and crash at its first call", handed},
		{"a memory of its own", edit(func(s *source) { s.exports = s.exports[1:] }), CodeMemory, "exports no memory; Envoy would load it and crash at its first call", handed},
		{
			"4 GiB", edit(func(s *source) { s.memory = cat([]byte{0}, uleb(65536)) }), CodeMemory,
			"asks for 65536 pages of memory at its start (4.0 GiB); Envoy gives at most 16384 (1 GiB)", "lower the initial memory (--initial-memory of the linker), or the size of static data",
		},
		{
			"a page more than a gigabyte", edit(func(s *source) { s.memory = cat([]byte{0}, uleb(16385)) }), CodeMemory,
			"asks for 16385 pages of memory at its start (1.0 GiB); Envoy gives at most 16384 (1 GiB)", "lower the initial memory (--initial-memory of the linker), or the size of static data",
		},
		{"64-bit memory", edit(func(s *source) { s.memory = []byte{4, 1} }), CodeMemory, "has a memory with 64-bit addresses; the Proxy-Wasm ABI is a 32-bit one", "build it for wasm32"},
		{
			"no allocator", edit(func(s *source) { s.exports[2].name = "alloc" }), CodeExport,
			"exports neither malloc nor proxy_on_memory_allocate, so Envoy cannot hand it anything", "build it with a Proxy-Wasm SDK; for C++ keep --export=malloc",
		},
		{
			"an allocator of another type", edit(func(s *source) { s.exports[2].params = i64 }), CodeExport,
			"exports with another type than ABI 0.2.1 has: proxy_on_memory_allocate as (i64) -> i32, which is (i32) -> i32", oneSDK,
		},
		{
			"a callback of another ABI", edit(func(s *source) { s.exports[3].params = i32 + i32 }), CodeExport,
			"exports with another type than ABI 0.2.1 has: proxy_on_response_headers as (i32 i32) -> i32, which is (i32 i32 i32) -> i32", oneSDK,
		},
		{
			"a reactor's main", exports(item{name: "_initialize"}, item{name: "main"}), CodeExport,
			"exports with another type than ABI 0.2.1 has: main as () -> (), which is (i32 i32) -> i32", oneSDK,
		},
		{
			"an unknown call", imports(item{module: "env", name: "proxy_frobnicate", params: i32, results: i32}), CodeImport,
			"imports what Envoy does not offer: env.proxy_frobnicate", unknown,
		},
		{"an unknown module", imports(item{module: "graft", name: "log"}), CodeImport, "imports what Envoy does not offer: graft.log", unknown},
		{
			"a WASI function that Envoy lacks", imports(item{module: "wasi_snapshot_preview1", name: "proc_raise", params: i32, results: i32}), CodeImport,
			"imports what Envoy does not offer: wasi_snapshot_preview1.proc_raise", unknown,
		},
		{"a global", imports(item{module: "env", name: "__stack_pointer", kind: Global}), CodeImport, "imports what Envoy does not offer: env.__stack_pointer (a global)", unknown},
		{
			"Go for browsers", imports(item{module: "gojs", name: "runtime.ticks"}), CodeImport,
			"imports what Envoy does not offer: gojs.runtime.ticks", "this was built for browsers (GOOS=js); build with GOOS=wasip1 and -buildmode=c-shared",
		},
		{"C++ exceptions", imports(item{module: "env", name: "__cxa_throw"}), CodeImport, "imports what Envoy does not offer: env.__cxa_throw", "build C++ without exceptions: -fno-exceptions"},
		{
			"half a component", imports(item{module: "wasi:cli/environment@0.2.0", name: "get"}), CodeImport,
			"imports what Envoy does not offer: wasi:cli/environment@0.2.0.get", "this is a part of a component (WASI 0.2); build for wasm32-wasip1",
		},
		{
			"a call with another type", imports(item{module: "env", name: "proxy_log", params: i32 + i32, results: i32}), CodeImport,
			"imports with another type than Envoy's: env.proxy_log as (i32 i32) -> i32, which is (i32 i32 i32) -> i32", "use the Proxy-Wasm SDK's declaration of the call",
		},
		{
			"a call of a newer ABI", with(abi("0_2_0"), item{module: "env", name: "proxy_get_log_level", params: i32, results: i32}), CodeImport,
			"imports what Envoy does not offer: env.proxy_get_log_level", "proxy_get_log_level belongs to ABI 0.2.1, and the module exports that of 0.2.0",
		},
		{
			"a call of an older ABI", imports(item{module: "env", name: "proxy_clear_route_cache", results: i32}), CodeImport,
			"imports what Envoy does not offer: env.proxy_clear_route_cache", "proxy_clear_route_cache belongs to ABI 0.1.0, and the module exports that of 0.2.1",
		},
	}
}

func TestCheck(t *testing.T) {
	for _, v := range verdicts() {
		t.Run(v.name, func(t *testing.T) {
			i, err := Inspect(v.module.bytes())
			if err != nil {
				t.Fatal(err)
			}
			if err = i.Check(); v.code != "" {
				refused(t, err, v.code, v.what, v.hint)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCheckListsTheFirstImports(t *testing.T) {
	s := melon()
	for n := range 9 {
		s.imports = append(s.imports, item{module: "env", name: fmt.Sprint("f", n)})
	}
	i, err := Inspect(s.bytes())
	if err != nil {
		t.Fatal(err)
	}
	refused(t, i.Check(), CodeImport,
		"imports what Envoy does not offer: env.f0, env.f1, env.f2, env.f3, env.f4, env.f5 and 3 more",
		"a function that is declared but not linked in becomes an import; link it, or remove the call")
}

func TestExplanationsCoverEachCodeOnce(t *testing.T) {
	seen := map[snapshot.Code]bool{}
	for _, e := range Explanations() {
		if seen[e.Code] || e.Meaning == "" {
			t.Errorf("%q stands there twice or says nothing", e.Code)
		}
		seen[e.Code] = true
	}
	for _, v := range verdicts() {
		if v.code != "" && !seen[v.code] {
			t.Errorf("%q is not explained", v.code)
		}
	}
}

// TestEnvoyAgrees asks a real Envoy about each call and callback and about each verdict.
func TestEnvoyAgrees(t *testing.T) {
	if testing.Short() {
		t.Skip("a real Envoy takes its time")
	}
	envoy := envoytest.Binary(t, "1.40")
	// Envoy loads these, and crashes at the first call that hands something over.
	later := map[string]bool{"no memory": true, "a memory of its own": true, "64-bit memory": true}
	cases := verdicts()
	for _, abi := range []string{"0.1.0", "0.2.0", "0.2.1"} {
		cases = append(cases, everything(abi))
	}
	for _, v := range cases {
		t.Run(v.name, func(t *testing.T) {
			log, err := validate(t, envoy, v.module.bytes())
			if (err == nil) != (v.code == "" || later[v.name]) {
				t.Errorf("Envoy: %v\n%s", err, log)
			}
		})
	}
}

// everything imports each call and exports each callback of an ABI. _initialize excludes _start.
func everything(abi string) verdict {
	s := source{memory: []byte{0, 2}, exports: []item{
		{name: "memory", kind: Mem}, {name: "proxy_abi_version_" + strings.ReplaceAll(abi, ".", "_")},
	}}
	for name, c := range envCalls {
		if c.in(abi) {
			s.imports = append(s.imports, typed(item{module: "env", name: name}, c.Type))
		}
	}
	for name, signature := range wasiCalls {
		s.imports = append(s.imports, typed(item{module: "wasi_unstable", name: name}, signature), typed(item{module: "wasi_snapshot_preview1", name: name}, signature))
	}
	names := []string{"main", "__main_void"}
	for name := range callbacks {
		names = append(names, name)
	}
	i := Inspection{ABI: abi, Exports: []Export{{Name: "_initialize"}}}
	for _, name := range names {
		e := typed(item{name: name}, i.callback(name))
		e.one = strings.HasPrefix(name, "proxy_on_vm_start") || strings.HasPrefix(name, "proxy_on_configure")
		s.exports = append(s.exports, e)
	}
	return verdict{name: "everything of " + abi, module: s}
}

func typed(i item, s Signature) item {
	params, results, _ := strings.Cut(string(s), ") -> ")
	bytes := strings.NewReplacer("i32", i32, "i64", i64, " ", "", "(", "", ")", "")
	i.params, i.results = bytes.Replace(params), bytes.Replace(results)
	return i
}

func validate(t *testing.T, envoy string, binary []byte) (log []byte, err error) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "module.wasm")
	config := fmt.Sprintf(`
static_resources:
  listeners:
  - name: web
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: web
          route_config: {}
          http_filters:
          - name: module
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
              config: {name: module, vm_config: {runtime: envoy.wasm.runtime.v8, code: {local: {filename: %q}}}}
          - name: router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
`, file)
	bootstrap := filepath.Join(dir, "envoy.yaml")
	for name, content := range map[string][]byte{file: binary, bootstrap: []byte(config)} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return exec.CommandContext(ctx, envoy, "--mode", "validate", "-c", bootstrap, "--concurrency", "1", "-l", "warn").CombinedOutput()
}
