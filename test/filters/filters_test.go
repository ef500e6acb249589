package filters

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMultiIsBuiltOnce(t *testing.T) {
	path := Multi(t)
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	again := Multi(t)
	after, err := os.Stat(again)
	if err != nil {
		t.Fatal(err)
	}
	if again != path || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("built again after %s: %s", time.Since(start), again)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(text, []byte("\x00asm\x01\x00\x00\x00")) || !bytes.Contains(text, []byte("proxy_abi_version_0_2_")) {
		t.Errorf("%s is no Proxy-Wasm module", path)
	}
}

func TestBuildFollowsTheSources(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module tiny\n\ngo 1.26\n")
	write("main.go", "package main\n\nfunc main() {}\n")
	one, err := sourceHash(dir)
	if err != nil {
		t.Fatal(err)
	}
	write("main_test.go", "package main\n")
	write("notes.txt", "")
	if same, _ := sourceHash(dir); same != one {
		t.Error("a file that is not built changed the hash")
	}
	write("main.go", "package main\n\nfunc main() { broken }\n")
	if other, _ := sourceHash(dir); other == one {
		t.Error("another source, the same hash")
	}
	if _, err := Build(context.Background(), dir); err == nil || !strings.Contains(err.Error(), "undefined: broken") {
		t.Errorf("want the compiler's text, got %v", err)
	}
}

// The .wasm beside each .wat is what wat2wasm (npm install wabt@1.0.37, or a distribution's wabt) makes of it.
func TestTextIsWhatTheBytesSay(t *testing.T) {
	for name, module := range map[string][]byte{"melon": Melon(), "cfg": Configurable()} {
		t.Run(name, func(t *testing.T) {
			if want := map[string]int{"melon": 223, "cfg": 773}[name]; len(module) != want {
				t.Errorf("%d bytes, want %d", len(module), want)
			}
			assembler, err := exec.LookPath("wat2wasm")
			if err != nil {
				t.Skip("no wat2wasm on the PATH")
			}
			output := filepath.Join(t.TempDir(), "out.wasm")
			cmd := exec.CommandContext(t.Context(), assembler, filepath.Join("testdata", name+".wat"), "-o", output)
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			assembled, err := os.ReadFile(output)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(assembled, module) {
				t.Errorf("testdata/%s.wasm is not what testdata/%s.wat says", name, name)
			}
		})
	}
}
