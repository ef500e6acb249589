package plane

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/graft-xds/graft/snapshot"
)

func openDir(t *testing.T, path string) *Dir {
	t.Helper()
	d, err := OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func someMemory(t *testing.T, code string) snapshot.Memory {
	t.Helper()
	documents, _ := read(t, "a.yaml", web+lua("melon", code))
	documents[0].Files = map[string]snapshot.File{"/key.pem": {Data: []byte("PRIVATE " + code)}}
	config, _ := snapshot.Parse(documents, nil, nil)
	return snapshot.Memory{
		Documents: config.Documents, Selection: "s" + code,
		Forms: map[snapshot.Key]snapshot.Form{config.Filters[0].Key: {Filter: config.Filters[0], Module: "sha256:" + code}},
		Slots: map[string]snapshot.SlotOrder{"group graft/web": {config.Filters[0].Key, {}}},
	}
}

func save(t *testing.T, d *Dir, m snapshot.Memory) {
	t.Helper()
	if err := errors.Join(d.SaveOrder(m), d.Save(m)); err != nil {
		t.Fatal(err)
	}
}

func TestDirKeepsMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "if need be")
	d := openDir(t, path)
	if m, err := d.Load(); err != nil || len(m.Documents)+len(m.Slots) != 0 {
		t.Fatalf("an empty directory gave %+v, %v", m, err)
	}
	want := someMemory(t, "1")
	save(t, d, want)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}

	got, err := openDir(t, path).Load()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Documents, got.Documents, protocmp.Transform()); diff != "" {
		t.Errorf("documents:\n%s", diff)
	}
	if diff := cmp.Diff(want.Slots, got.Slots); diff != "" || got.Selection != "s1" {
		t.Errorf("selection %q, slots:\n%s", got.Selection, diff)
	}
	for key, form := range want.Forms {
		if got.Forms[key].Module != form.Module || got.Forms[key].Filter.Hash != form.Filter.Hash {
			t.Errorf("form %+v, want %+v", got.Forms[key], form)
		}
	}
}

// TestDirTellsHalfAMemory: what can be read is used.
func TestDirTellsHalfAMemory(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	save(t, d, someMemory(t, "1"))
	for _, file := range []string{"memory.json", "slots.json"} {
		whole, err := os.ReadFile(filepath.Join(path, file))
		if err != nil {
			t.Fatal(err)
		}
		for what, text := range map[string]string{"half": string(whole[:len(whole)/2]), "empty": "", "newer": `{"version": 99}`} {
			if err := os.WriteFile(filepath.Join(path, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			m, err := d.Load()
			if err == nil || !strings.Contains(err.Error(), file) {
				t.Errorf("%s %s: error %v does not name it", what, file, err)
			}
			if documents, slots := len(m.Documents) > 0, len(m.Slots) > 0; documents == (file == "memory.json") || slots == (file == "slots.json") {
				t.Errorf("%s %s: documents %t, slots %t", what, file, documents, slots)
			}
		}
		if err := os.WriteFile(filepath.Join(path, file), whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDirWritesWholeFilesOrNone(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	save(t, d, someMemory(t, "1"))
	memory := filepath.Join(path, "memory.json")
	before, err := os.Stat(memory)
	if err != nil {
		t.Fatal(err)
	}
	save(t, d, someMemory(t, "1"))
	if after, err := os.Stat(memory); err != nil || !os.SameFile(before, after) {
		t.Error("the same was written again")
	}
	open, err := os.Open(memory) // whoever reads while it is written anew
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = open.Close() }()
	save(t, d, someMemory(t, "2"))
	old, err := open.Stat()
	if err != nil || old.Size() != before.Size() {
		t.Error("the old file was written to")
	}
	if left, _ := filepath.Glob(filepath.Join(path, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestDirCleansUpAfterACrash: a process died while it wrote a file that has private keys in it.
func TestDirCleansUpAfterACrash(t *testing.T) {
	path := t.TempDir()
	partial := filepath.Join(path, partialPrefix+"memory.json.123")
	if err := os.WriteFile(partial, []byte("PRIVATE"), 0o600); err != nil {
		t.Fatal(err)
	}
	openDir(t, path)
	if _, err := os.Stat(partial); err == nil {
		t.Error("it is still there")
	}
}

func TestDirShowsPrivateKeysToNobodyElse(t *testing.T) {
	path := t.TempDir()
	save(t, openDir(t, path), someMemory(t, "1"))
	for _, file := range []string{"memory.json", "slots.json", "lock"} {
		info, err := os.Stat(filepath.Join(path, file))
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", file, info.Mode())
		}
	}
}

func TestDirThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := OpenDir(filepath.Join(file, "state"))
	if err == nil || !strings.HasPrefix(err.Error(), "state directory: mkdir "+file) {
		t.Errorf("error %v", err)
	}
}

// holderVariable makes the test binary a process that holds a directory until its standard input ends.
const holderVariable = "GRAFT_TEST_HOLD"

func TestHold(t *testing.T) {
	path := os.Getenv(holderVariable)
	if path == "" {
		t.Skip("this is the other process of TestDirBelongsToOneProcess")
	}
	openDir(t, path)
	fmt.Println("held")
	_, _ = os.Stdin.Read(make([]byte, 1))
}

func TestDirBelongsToOneProcess(t *testing.T) {
	path := t.TempDir()
	first := openDir(t, path)
	if _, err := OpenDir(path); !errors.Is(err, ErrInUse) {
		t.Fatalf("twice in one process: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	other := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHold$")
	other.Env = append(os.Environ(), holderVariable+"="+path)
	stdin, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := stdout.Read(make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	_, err = OpenDir(path)
	if want := fmt.Sprintf("state directory %s: in use by process %d", path, other.Process.Pid); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if err := other.Process.Kill(); err != nil { // it has no chance to clean up
		t.Fatal(err)
	}
	_ = other.Wait()
	_ = stdin.Close()
	openDir(t, path)
}
