// Package store keeps the bytes of modules on disk under their digest, and which digest a location had last.
//
//	<dir>/blobs/sha256/<hex>   whole modules, never rewritten, mode 0444: proxies on this machine may read them
//	<dir>/refs/<hex>.json      what a location led to last; named by the sha256 of the location
//	<dir>/damaged/<hex>.<n>    blobs whose bytes are not those of their name any more, set aside
//	<dir>/ingest/              files that are being written
//
// A name appears only when its file is whole and on disk, so several processes may use one store at once and any of them
// may be killed at any moment.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Errors to branch on.
var (
	ErrNotFound = errors.New("not in the store")
	ErrCorrupt  = errors.New("damaged in the store")
	ErrDigest   = errors.New("not a sha256 digest")
)

// abandoned is how old a file in ingest must be to be taken for one of a process that was killed.
const abandoned = 24 * time.Hour

// Store is a folder of modules. Its methods may be called from several goroutines, and from several processes that share
// the folder.
type Store struct {
	dir string

	mu       sync.Mutex
	verified map[string]os.FileInfo // by digest: the file whose bytes were last found to be right
}

// New opens the store in dir and makes the folder if it is not there.
func New(dir string) (*Store, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("module store %q: %w", dir, err)
	}
	s := &Store{dir: absolute, verified: map[string]os.FileInfo{}}
	for _, sub := range []string{s.blobs(), s.refs(), s.damaged(), s.ingest()} {
		if err := os.MkdirAll(sub, 0o755); err != nil {
			return nil, fmt.Errorf("module store: %w", err)
		}
	}
	s.sweep()
	return s, nil
}

func (s *Store) blobs() string   { return filepath.Join(s.dir, "blobs", "sha256") }
func (s *Store) refs() string    { return filepath.Join(s.dir, "refs") }
func (s *Store) damaged() string { return filepath.Join(s.dir, "damaged") }
func (s *Store) ingest() string  { return filepath.Join(s.dir, "ingest") }

// Path is where the blob of a digest is, or would be.
func (s *Store) Path(digest string) string {
	hex, _ := split(digest)
	return filepath.Join(s.blobs(), hex)
}

// split takes the hex digits out of "sha256:<64 hex digits>".
func split(digest string) (hex string, err error) {
	hex, ok := strings.CutPrefix(digest, "sha256:")
	if !ok || len(hex) != 64 || strings.Trim(hex, "0123456789abcdef") != "" {
		return "invalid", fmt.Errorf("%q: %w", digest, ErrDigest)
	}
	return hex, nil
}

// Blob is one entry of a List.
type Blob struct {
	Digest   string
	Size     int64     // bytes
	Modified time.Time // when it came into the store
}

// List gives all blobs, sorted by digest. It does not read them.
func (s *Store) List() ([]Blob, error) {
	entries, err := os.ReadDir(s.blobs())
	if err != nil {
		return nil, fmt.Errorf("list module store: %w", err)
	}
	var blobs []Blob
	for _, e := range entries {
		digest := "sha256:" + e.Name()
		info, err := e.Info()
		if _, bad := split(digest); bad != nil || err != nil || !info.Mode().IsRegular() {
			continue
		}
		blobs = append(blobs, Blob{Digest: digest, Size: info.Size(), Modified: info.ModTime()})
	}
	return blobs, nil
}

// sweep removes what killed processes left in ingest. What cannot be removed now will be another time.
func (s *Store) sweep() {
	entries, _ := os.ReadDir(s.ingest())
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(filepath.Join(s.ingest(), e.Name()))
		}
	}
}

func notFound(err error) bool { return errors.Is(err, fs.ErrNotExist) }
