package store

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// write makes a file appear at path whole or not at all: it is written under another name, brought to disk, given its
// mode, renamed, and then the folder is brought to disk too.
func (s *Store) write(path string, mode fs.FileMode, data []byte) (err error) {
	f, err := os.CreateTemp(s.ingest(), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Chmod(mode); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return nil
}
