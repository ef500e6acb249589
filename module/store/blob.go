package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Digest is the digest of bytes: "sha256:" and 64 hex digits.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Put keeps data under its digest, which the caller computed with Digest. A blob that is there and sound is left alone; a
// damaged one is set aside and replaced. When Put returns without an error, the bytes outlive a crash of the machine.
func (s *Store) Put(digest string, data []byte) error {
	if _, err := split(digest); err != nil {
		return err
	}
	f, err := s.Open(digest)
	if err == nil {
		return f.Close()
	}
	if !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrCorrupt) {
		return err
	}
	if err := s.write(s.Path(digest), 0o444, data); err != nil {
		return fmt.Errorf("store module %s: %w", digest, err)
	}
	return nil
}

// Has says whether there is a blob of that digest. It does not read it.
func (s *Store) Has(digest string) bool {
	if _, err := split(digest); err != nil {
		return false
	}
	info, err := os.Stat(s.Path(digest))
	return err == nil && info.Mode().IsRegular()
}

// Open opens a blob for reading after its bytes were found to be those of the digest. That is looked at once for each
// file, and again when its size, time or inode differs. The error is ErrNotFound, ErrCorrupt (the blob was set aside, and
// is not found the next time), ErrDigest, or the system's.
func (s *Store) Open(digest string) (*os.File, error) {
	if _, err := split(digest); err != nil {
		return nil, err
	}
	f, err := os.Open(s.Path(digest))
	if notFound(err) {
		return nil, fmt.Errorf("module %s: %w", digest, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", digest, err)
	}
	if err := s.verify(digest, f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("module %s: %w", digest, err)
	}
	return f, nil
}

// Read reads a whole blob and verifies what it read. Its errors are those of Open.
func (s *Store) Read(digest string) ([]byte, error) {
	if _, err := split(digest); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(s.Path(digest))
	switch {
	case notFound(err):
		return nil, fmt.Errorf("module %s: %w", digest, ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("module %s: %w", digest, err)
	case Digest(data) != digest:
		return nil, fmt.Errorf("module %s: %w", digest, s.setAside(digest))
	}
	return data, nil
}

// verify compares the bytes of an open blob with its digest, and leaves the file at its beginning.
func (s *Store) verify(digest string, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if s.known(digest, info) {
		return nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if "sha256:"+hex.EncodeToString(h.Sum(nil)) != digest {
		return s.setAside(digest)
	}
	s.mu.Lock()
	s.verified[digest] = info
	s.mu.Unlock()
	_, err = f.Seek(0, io.SeekStart)
	return err
}

func (s *Store) known(digest string, info os.FileInfo) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen, ok := s.verified[digest]
	return ok && os.SameFile(seen, info) && seen.Size() == info.Size() && seen.ModTime().Equal(info.ModTime())
}

// setAside moves a damaged blob out of the way, where it can be looked at, and gives ErrCorrupt with its new place. Another
// process may have done so, and even have put a sound one there meanwhile; so the move is made on the bytes that are there now.
func (s *Store) setAside(digest string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.verified, digest)
	now, err := os.ReadFile(s.Path(digest))
	if err == nil && Digest(now) == digest {
		return fmt.Errorf("%w, and replaced since", ErrCorrupt)
	}
	place, err := os.CreateTemp(s.damaged(), filepath.Base(s.Path(digest))+".*")
	if err != nil {
		return errors.Join(ErrCorrupt, err)
	}
	_ = place.Close()
	if err := os.Rename(s.Path(digest), place.Name()); err != nil {
		return errors.Join(ErrCorrupt, err)
	}
	return fmt.Errorf("%w; set aside as %s", ErrCorrupt, place.Name())
}
