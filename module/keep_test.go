package module

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/graft-xds/graft/module/store"
	"github.com/graft-xds/graft/snapshot"
)

// TestARestartWithoutTheFile: the state folder is all that a new process has.
func TestARestartWithoutTheFile(t *testing.T) {
	storeDir := t.TempDir()
	before := setUp(t, storeDir, Options{})
	binary := melon().bytes()
	ref := before.write("melon.wasm", binary)
	before.outcome(ref)
	before.awaitNote(ref)
	if err := os.Remove(ref.Location); err != nil {
		t.Fatal(err)
	}
	digest := store.Digest(binary)
	hex := strings.TrimPrefix(digest, "sha256:")
	missing := &snapshot.ModuleError{
		Code: CodeMissing, What: "module " + ref.Location + " does not exist",
		Hint: "build it, or correct the path; a relative path begins at the folder of the document",
	}
	last := &snapshot.Module{Digest: digest, Bytes: binary, ABI: "0.2.1", Path: filepath.Join(storeDir, "blobs", "sha256", hex)}

	for _, c := range []struct {
		name string
		ref  snapshot.Ref
		want snapshot.Outcome
	}{
		{"by its digest", snapshot.Ref{SHA256: hex}, snapshot.Outcome{Module: last}},
		{"by its path", snapshot.Ref{Location: ref.Location}, snapshot.Outcome{Module: last, Err: missing}},
		{"by its path and pin", snapshot.Ref{Location: ref.Location, SHA256: hex}, snapshot.Outcome{Module: last, Err: missing}},
		{"pinned to something else meanwhile", snapshot.Ref{Location: ref.Location, SHA256: strings.Repeat("0", 64)}, snapshot.Outcome{Err: missing}},
		{"the file was seen since", ref, snapshot.Outcome{Err: missing}},
	} {
		t.Run(c.name, func(t *testing.T) {
			after := setUp(t, storeDir, Options{})
			if diff := cmp.Diff(c.want, after.outcome(c.ref)); diff != "" {
				t.Error(diff)
			}
		})
	}

	t.Run("and its blob is damaged", func(t *testing.T) {
		after := setUp(t, storeDir, Options{})
		if err := os.Truncate(last.Path, 5); err != nil {
			t.Fatal(err)
		}
		got := after.outcome(snapshot.Ref{SHA256: hex})
		if got.Module != nil || got.Err.Code != CodeLost || !strings.Contains(got.Err.What, "damaged in the store; set aside as "+storeDir) {
			t.Errorf("%+v", got)
		}
	})
}

// TestAFullDiskCostsNoFilter: a module that cannot be stored is used from memory, and kept as soon as that works again.
func TestAFullDiskCostsNoFilter(t *testing.T) {
	storeDir := t.TempDir()
	d := setUp(t, storeDir, Options{})
	ingest := filepath.Join(storeDir, "ingest")
	if err := os.Rename(ingest, ingest+".away"); err != nil {
		t.Fatal(err)
	}
	binary := melon().bytes()
	got := d.outcome(d.write("melon.wasm", binary))
	if got.Module == nil || got.Module.Path != "" || got.Err == nil || got.Err.Code != CodeStore {
		t.Fatalf("%+v", got)
	}
	blob, err := d.Open(got.Module.Digest)
	if err != nil {
		t.Fatal(err)
	}
	if served, _ := io.ReadAll(blob); !bytes.Equal(served, binary) {
		t.Error("other bytes are served")
	}
	_ = blob.Close()
	if err := os.Rename(ingest+".away", ingest); err != nil {
		t.Fatal(err)
	}
	d.await("the store", func(s map[snapshot.Ref]snapshot.Outcome) bool {
		for _, o := range s {
			got = o
		}
		return got.Err == nil
	})
	if kept, err := os.ReadFile(got.Module.Path); err != nil || !bytes.Equal(kept, binary) {
		t.Error(err)
	}
}

// TestANoteThatCannotBeWrittenIsTold: only a restart needs it, but then it is too late to say so.
func TestANoteThatCannotBeWrittenIsTold(t *testing.T) {
	storeDir := t.TempDir()
	d := setUp(t, storeDir, Options{})
	refs := filepath.Join(storeDir, "refs")
	if err := os.Rename(refs, refs+".away"); err != nil {
		t.Fatal(err)
	}
	ref := d.write("melon.wasm", melon().bytes())
	d.Want([]snapshot.Ref{ref})
	d.await("the complaint", func(s map[snapshot.Ref]snapshot.Outcome) bool {
		return s[ref].Module != nil && s[ref].Module.Path != "" && s[ref].Err != nil && s[ref].Err.Code == CodeStore
	})
	if err := os.Rename(refs+".away", refs); err != nil {
		t.Fatal(err)
	}
	d.await("its end", func(s map[snapshot.Ref]snapshot.Outcome) bool { return s[ref].Module != nil && s[ref].Err == nil })
	d.awaitNote(ref)
}
