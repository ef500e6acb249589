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

// Dir is the state directory: what outlives the process. It holds the memory (slots.json and memory.json), verdicts/ and the
// module store. It belongs to one process at a time.
type Dir struct {
	path  string
	lock  *os.File
	slots kept // Slots and Selection, which change with the order of filters and are written on the path of an edit
	rest  kept // Documents and Forms, with all that the documents refer to: private keys too
}

// OpenDir makes the directory if need be, and takes it for this process. The error is ErrInUse if another one has it.
func OpenDir(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o750); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	held, err := lock(filepath.Join(path, "lock"))
	if err != nil {
		return nil, fmt.Errorf("state directory %s: %w", path, err)
	}
	removePartial(path)
	return &Dir{
		path: path, lock: held,
		slots: kept{path: filepath.Join(path, "slots.json")}, rest: kept{path: filepath.Join(path, "memory.json")},
	}, nil
}

// Close lets go of the directory.
func (d *Dir) Close() error { return d.lock.Close() }

// Modules is the folder of the module store.
func (d *Dir) Modules() string { return filepath.Join(d.path, "modules") }

// Verdicts is the folder of what proxies refused.
func (d *Dir) Verdicts() string { return filepath.Join(d.path, "verdicts") }

// Load reads what an earlier process saved; nothing at all is no error. With an error it gives what could be read.
func (d *Dir) Load() (snapshot.Memory, error) {
	m, err := d.rest.read()
	order, orderErr := d.slots.read()
	m.Slots, m.Selection = order.Slots, order.Selection
	return m, errors.Join(err, orderErr)
}

// SaveOrder writes Slots and Selection of m if they differ from what was saved last. A crash leaves the old or the new,
// never a part. It may be called from any goroutine, and does not wait for Save.
func (d *Dir) SaveOrder(m snapshot.Memory) error {
	return d.slots.write(snapshot.Memory{Slots: m.Slots, Selection: m.Selection})
}

// Save writes Documents and Forms of m, as SaveOrder does the others.
func (d *Dir) Save(m snapshot.Memory) error {
	return d.rest.write(snapshot.Memory{Documents: m.Documents, Forms: m.Forms})
}

// kept is a part of the memory in a file.
type kept struct {
	path string

	mu   sync.Mutex
	last []byte // as this process wrote it
}

func (k *kept) read() (snapshot.Memory, error) {
	data, err := os.ReadFile(k.path)
	if errors.Is(err, fs.ErrNotExist) {
		return snapshot.Memory{}, nil
	}
	if err != nil {
		return snapshot.Memory{}, fmt.Errorf("read memory: %w", err)
	}
	m, err := snapshot.UnmarshalMemory(data)
	if err != nil {
		return snapshot.Memory{}, fmt.Errorf("%s: %w", k.path, err)
	}
	return m, nil
}

func (k *kept) write(m snapshot.Memory) error {
	data, err := snapshot.MarshalMemory(m)
	if err != nil {
		return fmt.Errorf("write memory: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if string(data) == string(k.last) {
		return nil
	}
	if err := replaceFile(k.path, data, true); err != nil {
		return fmt.Errorf("write memory: %w", err)
	}
	k.last = data
	return nil
}

// partialPrefix begins the name of a file that is being written.
const partialPrefix = ".partial-"

// removePartial removes what a process left in a folder when it died while it wrote: there may be private keys in it.
func removePartial(dir string) {
	left, err := filepath.Glob(filepath.Join(dir, partialPrefix+"*"))
	if err != nil {
		return
	}
	for _, path := range left {
		_ = os.Remove(path) // one that stays costs only its bytes
	}
}

// replaceFile puts data in the place of a file, all or nothing, and readable by this user only; durably, if it must survive
// the machine's end and not only the process's.
func replaceFile(path string, data []byte, durably bool) error {
	f, err := os.CreateTemp(filepath.Dir(path), partialPrefix+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already if all went well
	_, err = f.Write(data)
	if err == nil && durably {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
