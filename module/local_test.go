package module

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// edited is a file that somebody else writes to after its first bytes were read.
type edited struct {
	*os.File
	edit func()
}

func (e *edited) Read(p []byte) (int, error) {
	n, err := e.File.Read(p[:min(4, len(p))])
	if e.edit != nil {
		e.edit()
		e.edit = nil
	}
	return n, err
}

func TestAFileThatChangesWhileItIsReadIsNotTaken(t *testing.T) {
	for name, edit := range map[string]func(path string) error{
		"longer":  func(path string) error { return os.WriteFile(path, []byte("a longer melon"), 0o600) },
		"shorter": func(path string) error { return os.Truncate(path, 3) },
		"emptied": func(path string) error { return os.Truncate(path, 0) },
		"touched": func(path string) error { return os.Chtimes(path, time.Time{}, time.Now().Add(time.Minute)) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "melon.wasm")
			if err := os.WriteFile(path, []byte("melon melon"), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = f.Close() }()
			change := func() {
				if err := edit(path); err != nil {
					t.Error(err)
				}
			}
			if data, err := readUnchanged(&edited{f, change}, 100); !errors.Is(err, errChanged) {
				t.Errorf("%q, %v", data, err)
			}
		})
	}
}
