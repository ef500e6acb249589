package module

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/graft-xds/graft/snapshot"
)

func TestInspectSaysWhatIsThere(t *testing.T) {
	s := melon()
	s.imports = append(s.imports,
		item{module: "wasi_snapshot_preview1", name: "clock_time_get", params: i32 + i64 + i32, results: i32},
		item{module: "env", name: "__indirect_function_table", kind: Table},
	)
	s.memory = []byte{1, 2, 0x80, 1}
	s.tail = [][]byte{custom("name"), custom("producers", 1, 2, 3)}

	got, err := Inspect(s.bytes())
	if err != nil {
		t.Fatal(err)
	}
	want := &Inspection{
		Size: len(s.bytes()),
		ABI:  "0.2.1",
		Imports: []Import{
			{"env", "proxy_add_header_map_value", Func, "(i32 i32 i32 i32 i32) -> i32"},
			{"wasi_snapshot_preview1", "clock_time_get", Func, "(i32 i64 i32) -> i32"},
			{"env", "__indirect_function_table", Table, ""},
		},
		Exports: []Export{
			{"memory", Mem, ""},
			{"proxy_abi_version_0_2_1", Func, "() -> ()"},
			{"proxy_on_memory_allocate", Func, "(i32) -> i32"},
			{"proxy_on_response_headers", Func, "(i32 i32 i32) -> i32"},
		},
		Memory:    Memory{Min: 2, Max: 128, Bounded: true},
		Memories:  1,
		Functions: 3,
		Custom:    []string{"name", "producers"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := got.Check(); err != nil {
		t.Error(err)
	}
}

// TestInspectTakesRealModules reads whatever toolchains made for this repository's tests.
func TestInspectTakesRealModules(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../test/filters/*/testdata/*.wasm", "../test/filters/*/*/testdata/*.wasm", "../test/filters/testdata/*.wasm"} {
		found, _ := filepath.Glob(pattern)
		files = append(files, found...)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			i, err := Inspect(b)
			if err == nil {
				err = i.Check()
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("ABI %s, %d imports, %d exports, %d functions, %d pages, %d bytes", i.ABI, len(i.Imports), len(i.Exports), i.Functions, i.Memory.Min, i.Size)
		})
	}
}

func TestInspectNamesWhatIsNoModule(t *testing.T) {
	tar := make([]byte, 512)
	copy(tar[257:], "ustar")
	for _, c := range []struct {
		name, file string
		code       snapshot.Code
		what, hint string
	}{
		{"empty", "", CodeNotWasm, "not a Wasm module: the file is empty", "build or copy it again"},
		{"gzip", "\x1f\x8b\x08\x00", CodeNotWasm, "not a Wasm module: this is a gzip archive", "unpack it first: gunzip, or tar -xzf"},
		{"zip", "PK\x03\x04…", CodeNotWasm, "not a Wasm module: this is a zip archive", "unpack it first: unzip"},
		{"tar", string(tar), CodeNotWasm, "not a Wasm module: this is a tar archive", "unpack it first: tar -xf"},
		{
			"a Linux program", "\x7fELF\x02\x01\x01", CodeNotWasm, "not a Wasm module: this is a native program or library (ELF)",
			"build it for Wasm: GOOS=wasip1 GOARCH=wasm for Go, --target wasm32-wasip1 for Rust",
		},
		{"text form", "(module\n  (memory 1))", CodeNotWasm, "not a Wasm module: this is the text form of WebAssembly", "assemble it first: wat2wasm"},
		{"source", "package main\n\nfunc main() {}\n", CodeNotWasm, "not a Wasm module: this is a text", `"module" is the path of the built .wasm file, not of its source`},
		{"web page", "\n<!DOCTYPE html><title>404", CodeNotWasm, "not a Wasm module: this is a web page", "a download may have saved an error page; download it again"},
		{
			"pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:…", CodeNotWasm,
			"not a Wasm module: this is a pointer of Git LFS, not the file itself", "fetch the file: git lfs pull",
		},
		{"noise", "\x01\x02\x03\x04\x05", CodeNotWasm, "not a Wasm module: it begins with 01 02 03 04 instead of 00 61 73 6d", "give the .wasm file that the build makes"},
		{"a component", "\x00asm\x0d\x00\x01\x00", CodeComponent, "this is a WebAssembly component, not a core module", "build for wasm32-wasip1 (not wasip2) and do not wrap the module with a component tool"},
		{"the future", "\x00asm\x02\x00\x00\x00", CodeNotWasm, "a Wasm binary of unknown version 2.0", "Envoy takes core modules of version 1"},
		{"half a header", "\x00asm\x01", CodeDamaged, "cut off Wasm module: only 5 bytes long", "build or copy it again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Inspect([]byte(c.file))
			refused(t, err, c.code, c.what, c.hint)
		})
	}
}

func TestInspectFindsDamage(t *testing.T) {
	const huge = "\xff\xff\xff\xff\x0f"
	for _, c := range []struct {
		name string
		file []byte
		what string
	}{
		{"unknown section", header([]byte{14, 0}), "byte 0x8: unknown section 14"},
		{"a section longer than the file", header([]byte{1, 9, 0}), "byte 0xa: the type section is 9 bytes long, but the file has only 1 more there"},
		{"a section of 4 GiB", header([]byte("\x0a" + huge)), "byte 0xe: the code section is 4294967295 bytes long, but the file has only 0 more there"},
		{"order", header(section(7, []byte{0}), section(1, []byte{0})), "byte 0xb: the type section comes twice or too late"},
		{"twice", header(section(1, []byte{0}), section(1, []byte{0})), "byte 0xb: the type section comes twice or too late"},
		{"a number of six bytes", header([]byte{1, 0x80, 0x80, 0x80, 0x80, 0x80, 0}), "byte 0x9: a number has more than 32 bits"},
		{"a number of 35 bits", header([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x7f}), "byte 0x9: a number has more than 32 bits"},
		{"a number without an end", header([]byte{1, 0x80}), "byte 0xa: ends in the middle of an item"},
		{"four thousand million types", header(section(1, []byte(huge))), "byte 0xa: promises 4294967295 types in 0 bytes"},
		{"… functions", header(section(3, []byte(huge))), "byte 0xa: promises 4294967295 functions in 0 bytes"},
		{"… imports", header(section(2, []byte(huge))), "byte 0xa: promises 4294967295 imports in 0 bytes"},
		{"… exports", header(section(7, []byte(huge))), "byte 0xa: promises 4294967295 exports in 0 bytes"},
		{"… bodies", header(section(10, []byte(huge))), "byte 0xa: promises 4294967295 function bodies in 0 bytes"},
		{"… data segments", header(section(11, []byte(huge))), "byte 0xa: promises 4294967295 data segments in 0 bytes"},
		{"too many data segments", header(section(11, uleb(100_001), make([]byte, 300_000))), "byte 0xc: has 100001 data segments; the limit is 100000"},
		{"a table of 4 GiB", header(section(4, []byte("\x01\x70\x00"+huge))), "byte 0xb: a table of 4294967295 entries; the limit is 10000000"},
		{"a type of no form", header(section(1, []byte{1, 0x40, 0, 0})), "byte 0xb: a type of unknown form 0x40"},
		{"a value of no type", header(section(1, []byte{1, 0x60, 1, 0x01, 0})), "byte 0xd: a value of unknown type 0x1"},
		{"an unknown import", header(section(2, []byte("\x01\x01a\x01b\x05\x00"))), "byte 0xf: an import of unknown kind 5"},
		{"an import of no type", header(section(2, []byte("\x01\x01a\x01b\x00\x07"))), "byte 0xf: names type 7; there are 0 types"},
		{"a global of no form", header(section(2, []byte("\x01\x01a\x01b\x03\x7f\x02"))), "byte 0xf: an imported global of unknown form 2"},
		{"a function of no type", header(section(3, []byte{1, 3})), "byte 0xb: a function is of type 3; there are 0 types"},
		{"a name that is not UTF-8", header(section(2, []byte("\x01\x01\xff\x01b\x00\x07"))), "byte 0xc: the module name of an import is not UTF-8"},
		{"an export of nothing", header(section(7, []byte("\x01\x01a\x00\x07"))), `byte 0xb: export "a" is function 7; there are 0`},
		{"an export of no kind", header(section(7, []byte("\x01\x01a\x09\x00"))), `byte 0xb: export "a" is of unknown kind 9`},
		{"limits upside down", header(section(5, []byte{1, 1, 9, 1})), "byte 0xb: limits whose maximum 1 is below the minimum 9"},
		{"limits of no form", header(section(5, []byte{1, 9, 9, 1})), "byte 0xb: limits of unknown form 9"},
		{"the start of nothing", header(section(8, []byte{0})), "byte 0xa: the start function is number 0; there are 0"},
		{"no bodies", header(section(1, []byte{1, 0x60, 0, 0}), section(3, []byte{2, 0, 0})), "byte 0x13: declares 2 functions and has bodies for 0"},
		{"bodies of nothing", header(section(10, []byte{1, 2, 0, opEnd})), "byte 0xe: declares 0 functions and has bodies for 1"},
		{"a body cut short", header(section(10, []byte{1, 2, 0, 0x41})), "byte 0xb: a function body does not end with the instruction end"},
		{"a body of 4 GiB", header(section(10, []byte("\x01"+huge))), "byte 0x10: a function body is 4294967295 bytes long, but the file has only 0 more there"},
		{"locals of 4 GiB", header(section(10, []byte("\x01\x08\x01"+huge+"\x7f\x0b"))), "byte 0xb: a function with more than 50000 local variables"},
		{"missing data", header(section(12, []byte{1})), "byte 0xb: announces 1 data segments and has 0"},
		{"something left over", header(section(1, []byte{0, 0})), "byte 0xb: the type section has 1 bytes too many"},
		{"a custom section without a name", header(section(0)), "byte 0xa: ends in the middle of an item"},
		{"broken function names", header(custom("name", 1, 3, 1, 0, 9)), "byte 0x14: the name of a function is 9 bytes long, but the file has only 0 more there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Inspect(c.file)
			refused(t, err, CodeDamaged, "damaged or cut off Wasm module: "+c.what, "build or copy it again")
		})
	}

	twice := melon()
	twice.exports = append(twice.exports, item{name: "proxy_abi_version_0_2_1"})
	_, err := Inspect(twice.bytes())
	if err == nil || !strings.Contains(err.Error(), `export "proxy_abi_version_0_2_1" stands there twice`) {
		t.Error(err)
	}
}

// TestInspectRefusesEachTruncation cuts a module off at every byte. Only what ends exactly after the code, the last section
// that others count on, is a module of its own.
func TestInspectRefusesEachTruncation(t *testing.T) {
	s := melon()
	whole := s.bytes()
	data := section(11, []byte{1, 1, 5}, []byte("melon"))
	s.tail = [][]byte{data, custom("producers", 1, 2, 3)}
	binary := s.bytes()
	sound := map[int]bool{len(whole): true, len(whole) + len(data): true, len(binary): true}
	for n := range len(binary) + 1 {
		i, err := Inspect(binary[:n])
		if err == nil {
			err = i.Check()
		}
		if (err == nil) != sound[n] {
			t.Errorf("cut off at %d of %d: %v", n, len(binary), err)
		}
	}

	counted := header(section(12, []byte{1}), section(11, []byte{1, 1, 5}, []byte("melon")))
	if _, err := Inspect(counted); err != nil {
		t.Error(err)
	}
	if _, err := Inspect(counted[:11]); err == nil {
		t.Error("a module that announces its data passed without it")
	}
}

// TestInspectTakesTypesThatItDoesNotRead: what uses garbage collection is for the engine to judge.
func TestInspectTakesTypesThatItDoesNotRead(t *testing.T) {
	got, err := Inspect(header(
		section(1, []byte{2, formStruct, 0, formFunc, 0, 0}),
		section(3, []byte{1, 1}),
		section(7, []byte("\x01\x01f\x00\x00")),
		section(10, []byte{1, 2, 0, opEnd}),
	))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Export{{Name: "f"}}, got.Exports); diff != "" {
		t.Error(diff)
	}
}

// refused holds a ModuleError to its whole text.
func refused(t *testing.T, err error, code snapshot.Code, what, hint string) {
	t.Helper()
	var got *snapshot.ModuleError
	if !errors.As(err, &got) {
		t.Fatalf("got %v, want %s: %s", err, code, what)
	}
	if diff := cmp.Diff(&snapshot.ModuleError{Code: code, What: what, Hint: hint}, got); diff != "" {
		t.Error(diff)
	}
}
