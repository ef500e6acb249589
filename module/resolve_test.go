package module

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
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

// TestRetryTellsOnlyWhatLasts runs on a clock of its own.
func TestRetryTellsOnlyWhatLasts(t *testing.T) {
	hiccup, lost := failure(CodeUnreadable, "hiccup", ""), failure(CodeMissing, "missing", "")
	fine := snapshot.Outcome{Module: &snapshot.Module{Digest: "fine"}}
	unkept := snapshot.Outcome{Module: fine.Module, Err: &snapshot.ModuleError{Code: CodeStore, What: "disk full"}}
	for _, c := range []struct {
		name  string
		tries []snapshot.Outcome // all but the last may pass
		told  string
	}{
		{"at once", []snapshot.Outcome{fine}, "0s fine"},
		{"missing", []snapshot.Outcome{lost}, "0s missing"},
		{"a hiccup", []snapshot.Outcome{hiccup, hiccup, fine}, "300ms fine"},
		{"it lasts", []snapshot.Outcome{hiccup, hiccup, hiccup, hiccup, fine}, "300ms hiccup, 700ms hiccup, 1.5s fine"},
		{"a module to use meanwhile", []snapshot.Outcome{unkept, fine}, "0s disk full, 100ms fine"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var told []string
				n := 0
				try := func() (snapshot.Outcome, bool) { n++; return c.tries[n-1], n < len(c.tries) }
				retry(t.Context(), 100*time.Millisecond, try, func(o snapshot.Outcome) {
					text := "fine"
					if o.Err != nil {
						text = o.Err.What
					}
					told = append(told, fmt.Sprint(time.Since(begin), " ", text))
				})
				if diff := cmp.Diff(c.told, strings.Join(told, ", ")); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestRetryEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		tries := 0
		try := func() (snapshot.Outcome, bool) { tries++; return failure(CodeUnreadable, "hiccup", ""), true }
		retry(ctx, 100*time.Millisecond, try, func(snapshot.Outcome) {})
		if tries < 100 || tries > 140 { // every 30 s at last
			t.Errorf("%d tries in an hour", tries)
		}
	})
}

func TestWhichReadErrorsMayPass(t *testing.T) {
	for err, again := range map[error]bool{
		fs.ErrNotExist: false, fs.ErrPermission: false, syscall.ENOTDIR: false, syscall.ELOOP: false, errTooLarge: false, errNoFile: false,
		syscall.EIO: true, syscall.EMFILE: true, syscall.ESTALE: true, errChanged: true,
	} {
		wrapped := &fs.PathError{Op: "read", Path: "/melon.wasm", Err: err}
		if o, got := unreadable("/melon.wasm", wrapped); got != again || o.Err == nil {
			t.Errorf("%v: again %t, %v", err, got, o.Err)
		}
	}
}

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

func BenchmarkResolve(b *testing.B) {
	s, err := store.New(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		binary []byte
		held   bool // the store has it
	}{{"small, new", melon().bytes(), false}, {"2 MB, new", large(2 << 20), false}, {"2 MB, stored", large(2 << 20), true}} {
		b.Run(c.name, func(b *testing.B) {
			binary := c.binary
			path := filepath.Join(b.TempDir(), "module.wasm")
			if err := os.WriteFile(path, binary, 0o600); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(binary)))
			b.ReportAllocs()
			for b.Loop() {
				if !c.held {
					_ = os.Remove(s.Path(store.Digest(binary)))
				}
				r := NewResolver(Options{Store: s})
				if o, _ := r.try(b.Context(), snapshot.Ref{Location: path, Stamp: "1"}); o.Err != nil {
					b.Fatal(o.Err)
				}
			}
		})
	}
}
