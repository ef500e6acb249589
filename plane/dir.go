package plane

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/graft-xds/graft/snapshot"
)

// Dir is the state directory: what outlives the process. It holds memory.json, verdicts/ and the module store.
// One process at a time writes to it.
type Dir struct {
	path string

	mu   sync.Mutex
	last []byte // of memory.json as this process wrote it
}

// OpenDir makes the directory if need be.
func OpenDir(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o750); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	return &Dir{path: path}, nil
}

// Modules is the folder of the module store.
func (d *Dir) Modules() string { return filepath.Join(d.path, "modules") }

// Verdicts is the folder of what proxies refused.
func (d *Dir) Verdicts() string { return filepath.Join(d.path, "verdicts") }

func (d *Dir) memory() string { return filepath.Join(d.path, "memory.json") }

// Load reads what an earlier process saved; nothing at all is no error.
func (d *Dir) Load() (snapshot.Memory, error) {
	data, err := os.ReadFile(d.memory())
	if errors.Is(err, fs.ErrNotExist) {
		return snapshot.Memory{}, nil
	}
	if err != nil {
		return snapshot.Memory{}, fmt.Errorf("read memory: %w", err)
	}
	m, err := snapshot.UnmarshalMemory(data)
	if err != nil {
		return snapshot.Memory{}, fmt.Errorf("read memory %s: %w", d.memory(), err)
	}
	return m, nil
}

// Save may be called from any goroutine. It writes m if it differs from what was saved last. A crash leaves the old or the new, never a part.
func (d *Dir) Save(m snapshot.Memory) error {
	data, err := snapshot.MarshalMemory(m)
	if err != nil {
		return fmt.Errorf("write memory: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if string(data) == string(d.last) {
		return nil
	}
	if err := writeFile(d.memory(), data); err != nil {
		return fmt.Errorf("write memory: %w", err)
	}
	d.last = data
	return nil
}

// writeFile replaces path by data, all or nothing, through a crash too.
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already if all went well
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
