package store_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/graft-xds/graft/module/store"
)

var (
	melon  = []byte("melon")
	digest = "sha256:a73860a05ec07cb9ce86d8022312d6e32e5048f44e33e3386cf1ce8a6dc4fe27"
)

func open(t *testing.T) (*store.Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := store.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func put(t *testing.T, s *store.Store, data []byte) string {
	t.Helper()
	d := store.Digest(data)
	if err := s.Put(d, data); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestWhatIsPutCanBeRead(t *testing.T) {
	s, dir := open(t)
	if s.Has(digest) {
		t.Error("an empty store has it")
	}
	put(t, s, melon)

	path := filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(digest, "sha256:"))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if s.Path(digest) != path || info.Mode() != 0o444 || !s.Has(digest) {
		t.Errorf("path %s, mode %s, has %t", s.Path(digest), info.Mode(), s.Has(digest))
	}
	if got, err := s.Read(digest); err != nil || !bytes.Equal(got, melon) {
		t.Errorf("read %q, %v", got, err)
	}
	for range 2 { // the second time it is known to be right, and must be at its beginning as well
		f, err := s.Open(digest)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, melon) {
			t.Errorf("open %q, %v", got, err)
		}
		_ = f.Close()
	}
	apple := put(t, s, []byte("apple"))
	got, err := s.List()
	want := []store.Blob{{Digest: apple, Size: 5}, {Digest: digest, Size: 5}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(store.Blob{}, "Modified")); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestPutLeavesASoundBlobAlone(t *testing.T) {
	s, _ := open(t)
	put(t, s, melon)
	before, _ := os.Stat(s.Path(digest))
	put(t, s, melon)
	if after, _ := os.Stat(s.Path(digest)); !os.SameFile(before, after) {
		t.Error("it was written again")
	}
}

func TestErrorsCanBeToldApart(t *testing.T) {
	s, _ := open(t)
	for _, c := range []struct {
		digest string
		want   error
	}{
		{digest, store.ErrNotFound},
		{"melon", store.ErrDigest},
		{"sha256:../../etc/passwd", store.ErrDigest},
		{strings.ToUpper(digest), store.ErrDigest},
		{"sha512" + digest[6:], store.ErrDigest},
	} {
		if _, err := s.Read(c.digest); !errors.Is(err, c.want) {
			t.Errorf("read %s: %v", c.digest, err)
		}
		if _, err := s.Open(c.digest); !errors.Is(err, c.want) {
			t.Errorf("open %s: %v", c.digest, err)
		}
		if errors.Is(c.want, store.ErrDigest) && (s.Put(c.digest, melon) == nil || s.Has(c.digest)) {
			t.Errorf("put %s", c.digest)
		}
	}
}

// TestDamageIsFoundAndSetAside: whoever reads a damaged blob first says so and moves it away; the next Put mends the store.
func TestDamageIsFoundAndSetAside(t *testing.T) {
	reads := map[string]func(*store.Store) error{
		"Read": func(s *store.Store) error { _, err := s.Read(digest); return err },
		"Open": func(s *store.Store) error { _, err := s.Open(digest); return err },
	}
	for name, read := range reads {
		t.Run(name, func(t *testing.T) {
			s, dir := open(t)
			put(t, s, melon)
			if err := read(s); err != nil {
				t.Fatal(err)
			}
			damage(t, s.Path(digest), "lemon")

			err := read(s)
			if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), filepath.Join(dir, "damaged")) {
				t.Error(err)
			}
			if err := read(s); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the second time: %v", err)
			}
			aside, _ := filepath.Glob(filepath.Join(dir, "damaged", "*"))
			if len(aside) != 1 {
				t.Fatalf("set aside: %v", aside)
			}
			if kept, _ := os.ReadFile(aside[0]); string(kept) != "lemon" {
				t.Errorf("set aside %q", kept)
			}
			put(t, s, melon)
			if err := read(s); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPutReplacesADamagedBlob(t *testing.T) {
	s, _ := open(t)
	put(t, s, melon)
	damage(t, s.Path(digest), "mel")
	put(t, s, melon)
	if got, err := s.Read(digest); err != nil || !bytes.Equal(got, melon) {
		t.Errorf("%q, %v", got, err)
	}
}

// damage writes into a blob that must not be written to.
func damage(t *testing.T, path, content string) {
	t.Helper()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	// The same size and, on a coarse clock, the same time would pass for the same file.
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
}

func TestALocationIsRemembered(t *testing.T) {
	s, dir := open(t)
	const location = "/filters/melon.wasm"
	if _, err := s.Recall(location); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	apple := store.Digest([]byte("apple"))
	for _, d := range []string{digest, digest, apple} {
		if err := s.Remember(location, d); err != nil {
			t.Fatal(err)
		}
		again, err := store.New(dir) // as after a restart
		if err != nil {
			t.Fatal(err)
		}
		if got, err := again.Recall(location); got != d || err != nil {
			t.Errorf("%s, %v", got, err)
		}
	}
	if err := s.Remember(location, "melon"); !errors.Is(err, store.ErrDigest) {
		t.Error(err)
	}
	notes, _ := filepath.Glob(filepath.Join(dir, "refs", "*.json"))
	if len(notes) != 1 {
		t.Fatal(notes)
	}
	for _, broken := range []string{"", "{", `{"location":"/other","digest":"` + digest + `"}`, `{"location":"` + location + `","digest":"x"}`} {
		if err := os.WriteFile(notes[0], []byte(broken), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Recall(location); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", broken, err)
		}
	}
}

func TestNewRemovesOnlyAbandonedFiles(t *testing.T) {
	_, dir := open(t)
	old, young := filepath.Join(dir, "ingest", "old"), filepath.Join(dir, "ingest", "young")
	for _, path := range []string{old, young} {
		if err := os.WriteFile(path, melon, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-48*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := store.New(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Error("the old one is there")
	}
	if _, err := os.Stat(young); err != nil {
		t.Error("one that another process may be writing is gone")
	}
}

func TestAStoreThatCannotBeWrittenSaysSo(t *testing.T) {
	s, dir := open(t)
	ingest := filepath.Join(dir, "ingest")
	if err := os.Remove(ingest); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ingest, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(digest, melon); err == nil || s.Has(digest) {
		t.Errorf("%v, has %t", err, s.Has(digest))
	}
	if _, err := store.New(dir); err == nil {
		t.Error("a store without its folders was opened")
	}
}
