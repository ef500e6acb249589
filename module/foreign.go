package module

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/graft-xds/graft/snapshot"
)

const (
	wasmMagic   = "\x00asm"
	maxBinary   = 1 << 30 // the limit of the JavaScript API, which V8 obeys
	wasmVersion = 1
)

// disguise is how a file that was given for a module begins, and what its author probably has to do.
type disguise struct {
	offset int
	magic  string
	what   string
	hint   string
}

func disguises() []disguise {
	const build = "build it for Wasm: GOOS=wasip1 GOARCH=wasm for Go, --target wasm32-wasip1 for Rust"
	return []disguise{
		{0, "\x1f\x8b", "a gzip archive", "unpack it first: gunzip, or tar -xzf"},
		{0, "PK\x03\x04", "a zip archive", "unpack it first: unzip"},
		{0, "\x28\xb5\x2f\xfd", "a zstd archive", "unpack it first: zstd -d"},
		{0, "BZh", "a bzip2 archive", "unpack it first: bunzip2"},
		{0, "\xfd7zXZ", "an xz archive", "unpack it first: unxz"},
		{257, "ustar", "a tar archive", "unpack it first: tar -xf"},
		{0, "\x7fELF", "a native program or library (ELF)", build},
		{0, "MZ", "a native program or library (PE)", build},
		{0, "\xcf\xfa\xed\xfe", "a native program or library (Mach-O)", build},
		{0, "\xca\xfe\xba\xbe", "a native program or library (Mach-O), or a Java class", build},
		{0, "!<arch>\n", "a static library", "link it to a module"},
		{0, "BC\xc0\xde", "LLVM bitcode", "link it to a module"},
		{0, "version https://git-lfs", "a pointer of Git LFS, not the file itself", "fetch the file: git lfs pull"},
	}
}

// foreign refuses what is no core module at all, and says what it is instead.
func foreign(b []byte) error {
	if len(b) > maxBinary {
		return &snapshot.ModuleError{
			Code: CodeTooLarge,
			What: fmt.Sprintf("module of %d bytes; Envoy's engine takes at most %d", len(b), maxBinary),
		}
	}
	if !bytes.HasPrefix(b, []byte(wasmMagic)) {
		what, hint := looksLike(b)
		return &snapshot.ModuleError{Code: CodeNotWasm, What: "not a Wasm module: " + what, Hint: hint}
	}
	if len(b) < 8 {
		return &snapshot.ModuleError{
			Code: CodeDamaged,
			What: fmt.Sprintf("cut off Wasm module: only %d bytes long", len(b)),
			Hint: "build or copy it again",
		}
	}
	switch version, layer := binary.LittleEndian.Uint16(b[4:]), binary.LittleEndian.Uint16(b[6:]); {
	case layer == 1:
		return &snapshot.ModuleError{
			Code: CodeComponent,
			What: "this is a WebAssembly component, not a core module",
			Hint: "build for wasm32-wasip1 (not wasip2) and do not wrap the module with a component tool",
		}
	case version != wasmVersion || layer != 0:
		return &snapshot.ModuleError{
			Code: CodeNotWasm,
			What: fmt.Sprintf("a Wasm binary of unknown version %d.%d", version, layer),
			Hint: "Envoy takes core modules of version 1",
		}
	}
	return nil
}

func looksLike(b []byte) (what, hint string) {
	if len(b) == 0 {
		return "the file is empty", "build or copy it again"
	}
	for _, d := range disguises() {
		if len(b) >= d.offset && bytes.HasPrefix(b[d.offset:], []byte(d.magic)) {
			return "this is " + d.what, d.hint
		}
	}
	head := string(b[:min(len(b), 512)])
	switch text := strings.TrimSpace(head); {
	case strings.HasPrefix(text, "(module") || strings.HasPrefix(text, ";;"):
		return "this is the text form of WebAssembly", "assemble it first: wat2wasm"
	case strings.HasPrefix(strings.ToLower(text), "<!doctype") || strings.HasPrefix(strings.ToLower(text), "<html"):
		return "this is a web page", "a download may have saved an error page; download it again"
	case isText(head):
		return "this is a text", `"module" is the path of the built .wasm file, not of its source`
	}
	return fmt.Sprintf("it begins with % x instead of 00 61 73 6d", b[:min(len(b), 4)]), "give the .wasm file that the build makes"
}

// isText holds for the first bytes of a text; the last character may be cut in two.
func isText(head string) bool {
	for i, r := range head {
		if r == utf8.RuneError && i < len(head)-3 || r < ' ' && !strings.ContainsRune("\t\n\r\f", r) {
			return false
		}
	}
	return true
}
