package module

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/graft-xds/graft/module/store"
	"github.com/graft-xds/graft/snapshot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is a running Resolver and the folder that its modules lie in.
type desk struct {
	*Resolver
	t     *testing.T
	dir   string
	state map[snapshot.Ref]snapshot.Outcome // the newest that was read
}

// setUp starts a Resolver on a store, which outlives it.
func setUp(t *testing.T, storeDir string, o Options) *desk {
	t.Helper()
	var err error
	if o.Store, err = store.New(storeDir); err != nil {
		t.Fatal(err)
	}
	if o.Backoff == 0 {
		o.Backoff = time.Millisecond
	}
	d := &desk{Resolver: NewResolver(o), t: t, dir: t.TempDir()}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return d
}

// write makes a file and gives a Ref to it.
func (d *desk) write(name string, data []byte) snapshot.Ref {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		d.t.Fatal(err)
	}
	return snapshot.Ref{Location: path, Stamp: store.Digest(data)}
}

// await reads states until one of them is right.
func (d *desk) await(what string, right func(map[snapshot.Ref]snapshot.Outcome) bool) {
	d.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case d.state = <-d.Outcomes():
			if right(d.state) {
				return
			}
		case <-deadline:
			d.t.Fatalf("%s did not come; the last state: %+v", what, d.state)
		}
	}
}

// awaitNote waits until the store remembers where a module was found, which nobody is told.
func (d *desk) awaitNote(ref snapshot.Ref) {
	d.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for {
		if _, err := d.options.Store.Recall(ref.Location); err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			d.t.Fatalf("%s is not remembered", ref.Location)
		}
	}
}

// outcome wants one Ref and waits for what becomes of it.
func (d *desk) outcome(ref snapshot.Ref) snapshot.Outcome {
	d.t.Helper()
	d.Want([]snapshot.Ref{ref})
	d.await("an outcome", func(s map[snapshot.Ref]snapshot.Outcome) bool { return s[ref] != snapshot.Outcome{} })
	return d.state[ref]
}

func TestAModuleIsReadVerifiedAndKept(t *testing.T) {
	storeDir := t.TempDir()
	d := setUp(t, storeDir, Options{})
	binary := melon().bytes()
	ref := d.write("melon.wasm", binary)
	ref.SHA256 = strings.TrimPrefix(store.Digest(binary), "sha256:")

	got := d.outcome(ref)
	want := snapshot.Outcome{Module: &snapshot.Module{
		Digest: store.Digest(binary),
		Bytes:  binary,
		ABI:    "0.2.1",
		Path:   filepath.Join(storeDir, "blobs", "sha256", ref.SHA256),
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	if kept, err := os.ReadFile(got.Module.Path); err != nil || !bytes.Equal(kept, binary) {
		t.Error(err)
	}
	blob, err := d.Open(got.Module.Digest)
	if err != nil {
		t.Fatal(err)
	}
	if served, err := io.ReadAll(blob); err != nil || !bytes.Equal(served, binary) {
		t.Error(err)
	}
	_ = blob.Close()
}

// TestWhatCannotBeHad is each way in which a file is no module to use, with the text that its author reads.
func TestWhatCannotBeHad(t *testing.T) {
	d := setUp(t, t.TempDir(), Options{SizeLimit: 1 << 20})
	binary := melon().bytes()
	digest := store.Digest(binary)
	pin := strings.Repeat("0", 64)

	pinned := d.write("pinned.wasm", binary)
	pinned.SHA256 = pin
	bare := melon()
	bare.exports[1].name = "hello"
	pipe := filepath.Join(d.dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return "module " + filepath.Join(d.dir, name) }
	for _, c := range []struct {
		name       string
		ref        snapshot.Ref
		code       snapshot.Code
		what, hint string
	}{
		{"missing", snapshot.Ref{Location: filepath.Join(d.dir, "no.wasm")}, CodeMissing, at("no.wasm") + " does not exist", "build it, or correct the path; a relative path begins at the folder of the document"},
		{"below a file", snapshot.Ref{Location: pinned.Location + "/x"}, CodeMissing, at("pinned.wasm/x") + " does not exist", "build it, or correct the path; a relative path begins at the folder of the document"},
		{"a folder", snapshot.Ref{Location: d.dir}, CodeUnreadable, "module " + d.dir + " is not a file", "name the .wasm file itself"},
		{"a named pipe", snapshot.Ref{Location: pipe}, CodeUnreadable, at("pipe") + " is not a file", "name the .wasm file itself"},
		{"a name that is too long", snapshot.Ref{Location: "/" + strings.Repeat("x", 300)}, CodeUnreadable, "module /" + strings.Repeat("x", 300) + ": file name too long", "correct the path"},
		{"too large", d.write("large.wasm", make([]byte, 3<<19)), CodeTooLarge, at("large.wasm") + " is too large: 1.5 MiB; the limit is 1.0 MiB", "strip its debug data, or raise the size limit"},
		{"another pin", pinned, CodeDigest, at("pinned.wasm") + ": its digest is " + digest + ", and sha256:" + pin + " is pinned", "restore the file that was pinned, or pin the new one"},
		{"not Wasm", d.write("text.wasm", []byte("package main\n")), CodeNotWasm, at("text.wasm") + ": not a Wasm module: this is a text", `"module" is the path of the built .wasm file, not of its source`},
		{"not Proxy-Wasm", d.write("bare.wasm", bare.bytes()), CodeABI, at("bare.wasm") + ": exports no proxy_abi_version_*: this is not a Proxy-Wasm module", "build it with a Proxy-Wasm SDK; for C++ keep --export=proxy_abi_version_0_2_1"},
		{"cut off", d.write("half.wasm", binary[:40]), CodeDamaged, at("half.wasm") + ": damaged or cut off Wasm module: byte 0x25: the import section is 34 bytes long, but the file has only 3 more there", "build or copy it again"},
		{"by HTTP", snapshot.Ref{Location: "https://me:secret@example.com/melon.wasm"}, CodeUnsupported, "module https://me:xxxxx@example.com/melon.wasm: fetching by https:// is not supported yet", "fetch it yourself and give the path of the file"},
		{"an image", snapshot.Ref{Location: "oci://example.com/melon:v1"}, CodeUnsupported, "module oci://example.com/melon:v1: fetching by oci:// is not supported yet", "fetch it yourself and give the path of the file"},
		{"only a digest, unknown", snapshot.Ref{SHA256: pin}, CodeLost, "module sha256:" + pin + ": not in the store", "the filter comes back when its module is at its place again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := d.outcome(c.ref)
			if diff := cmp.Diff(snapshot.Outcome{Err: &snapshot.ModuleError{Code: c.code, What: c.what, Hint: c.hint}}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEqualBytesAreHeldOnce: refs that lead to the same bytes share one module, a file that is saved without a change too.
func TestEqualBytesAreHeldOnce(t *testing.T) {
	d := setUp(t, t.TempDir(), Options{})
	binary := melon().bytes()
	a, b := d.write("a.wasm", binary), d.write("b.wasm", binary)
	saved := a
	saved.Stamp = "later"
	d.Want([]snapshot.Ref{a, b})
	d.await("both", func(s map[snapshot.Ref]snapshot.Outcome) bool { return len(s) == 2 })
	first := d.state[a].Module
	if d.state[b].Module != first {
		t.Error("two modules of the same bytes")
	}
	d.Want([]snapshot.Ref{saved, b})
	d.await("the saved one", func(s map[snapshot.Ref]snapshot.Outcome) bool { return s[saved].Module != nil })
	if d.state[saved].Module != first {
		t.Error("another module for the same bytes")
	}
	if _, ok := d.state[a]; ok {
		t.Error("what is not wanted any more has an outcome")
	}
}

// TestAModuleStaysInHandByItsDigest: the file is edited; the filter's last form wants the old module by its digest, and it is
// there in the same state in which the path is let go, even without the store.
func TestAModuleStaysInHandByItsDigest(t *testing.T) {
	storeDir := t.TempDir()
	d := setUp(t, storeDir, Options{})
	binary := melon().bytes()
	old := d.write("melon.wasm", binary)
	module := d.outcome(old).Module
	d.awaitNote(old)
	if err := os.RemoveAll(storeDir); err != nil {
		t.Fatal(err)
	}
	last := snapshot.Ref{SHA256: strings.TrimPrefix(module.Digest, "sha256:")}
	next := d.write("melon.wasm", []byte("half"))
	d.Want([]snapshot.Ref{last, next})
	d.await("the next state", func(s map[snapshot.Ref]snapshot.Outcome) bool {
		if s[last].Module != module {
			t.Fatal("a state without the old module")
		}
		return s[next].Err != nil
	})
	if blob, err := d.Open(module.Digest); err != nil {
		t.Errorf("it is not served any more: %v", err)
	} else {
		_ = blob.Close()
	}
	d.Want(nil)
	d.await("the end", func(s map[snapshot.Ref]snapshot.Outcome) bool { return len(s) == 0 })
	if _, err := d.Open(module.Digest); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a module that nobody wants is held: %v", err)
	}
}

// TestAStateReplacesOneThatNobodyRead: the channel holds one state, the newest, and the Resolver never waits for a reader.
func TestAStateReplacesOneThatNobodyRead(t *testing.T) {
	d := setUp(t, t.TempDir(), Options{Parallel: 2})
	var refs []snapshot.Ref
	for n := range 20 {
		s := melon()
		s.tail = [][]byte{custom(fmt.Sprint(n))}
		refs = append(refs, d.write(fmt.Sprintf("%d.wasm", n), s.bytes()))
		d.Want(refs)
	}
	d.await("all", func(s map[snapshot.Ref]snapshot.Outcome) bool { return len(s) == len(refs) })
	for ref, o := range d.state {
		if o.Err != nil {
			t.Errorf("%s: %v", ref.Location, o.Err)
		}
	}
	select {
	case s := <-d.Outcomes():
		t.Errorf("a state after the last: %v", s)
	default:
	}
}
