package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ref is the file that remembers a location.
type ref struct {
	Location string `json:"location"`
	Digest   string `json:"digest"`
}

// Remember notes that location led to digest. The newest digest replaces earlier ones; nothing is written when it is known.
func (s *Store) Remember(location, digest string) error {
	if _, err := split(digest); err != nil {
		return err
	}
	if was, err := s.Recall(location); err == nil && was == digest {
		return nil
	}
	data, err := json.Marshal(ref{Location: location, Digest: digest})
	if err != nil {
		return fmt.Errorf("remember module %q: %w", location, err)
	}
	if err := s.write(s.refPath(location), 0o644, append(data, '\n')); err != nil {
		return fmt.Errorf("remember module %q: %w", location, err)
	}
	return nil
}

// Recall gives the digest that location led to last. A location that is not known, or whose note is damaged, is
// ErrNotFound.
func (s *Store) Recall(location string) (digest string, err error) {
	data, err := os.ReadFile(s.refPath(location))
	if notFound(err) {
		return "", fmt.Errorf("module %q: %w", location, ErrNotFound)
	}
	if err != nil {
		return "", fmt.Errorf("module %q: %w", location, err)
	}
	var r ref
	decoder := json.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&r); err != nil || r.Location != location {
		return "", fmt.Errorf("module %q: %w", location, ErrNotFound)
	}
	if _, err := split(r.Digest); err != nil {
		return "", fmt.Errorf("module %q: %w", location, ErrNotFound)
	}
	return r.Digest, nil
}

func (s *Store) refPath(location string) string {
	hex := strings.TrimPrefix(Digest([]byte(location)), "sha256:")
	return filepath.Join(s.refs(), hex+".json")
}
