package plane

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/graft-xds/graft/xds"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// ledgerAt opens a ledger in a folder as a process of that time does.
func ledgerAt(dir string, now time.Time) *Ledger {
	return &Ledger{Now: func() time.Time { return now }, dir: dir}
}

func verdictOf(nodeID, revision string, good *xds.Good) xds.Verdict {
	return xds.Verdict{Node: nodeID, Envoy: "1.40.0", Slot: "graft/web", Revision: revision, Text: "no such function", At: noon, Good: good}
}

func mustSave(t *testing.T, l *Ledger, verdicts ...xds.Verdict) {
	t.Helper()
	for _, v := range verdicts {
		if err := l.Save(v); err != nil {
			t.Fatal(err)
		}
	}
}

func mustLoad(t *testing.T, l *Ledger) []xds.Verdict {
	t.Helper()
	verdicts, err := l.Load()
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(verdicts, func(a, b xds.Verdict) int { return strings.Compare(a.Node+a.Revision, b.Node+b.Revision) })
	return verdicts
}

func names(t *testing.T, dir, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestLedgerKeepsVerdicts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "verdicts")
	l := ledgerAt(dir, noon)
	if got := mustLoad(t, l); len(got) != 0 {
		t.Fatalf("a folder that is not there gave %v", got)
	}
	good := &xds.Good{Revision: "r1", Body: []byte("module and all")}
	want := []xds.Verdict{
		verdictOf("a", "r2", good), verdictOf("b", "r2", good), verdictOf("b", "r3", &xds.Good{Revision: "r0"}), verdictOf("c", "r2", nil),
	}
	mustSave(t, l, want...)
	want[0].Mended = true
	mustSave(t, l, want[0]) // in the place of the one before
	got := mustLoad(t, ledgerAt(dir, noon))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if &got[0].Good.Body[0] != &got[1].Good.Body[0] {
		t.Error("the content that two verdicts name is in memory twice")
	}
	if stored := names(t, dir, "*.content"); len(stored) != 1 {
		t.Errorf("contents %v: the same one is stored once", stored)
	}
}

func TestLedgerForgetsAfterThirtyDays(t *testing.T) {
	dir := t.TempDir()
	old, young := verdictOf("old", "r2", &xds.Good{Revision: "r1", Body: []byte("1")}), verdictOf("young", "r4", &xds.Good{Revision: "r3", Body: []byte("3")})
	young.At = noon.Add(time.Hour)
	mustSave(t, ledgerAt(dir, noon), old, young)
	if got := mustLoad(t, ledgerAt(dir, noon.Add(30*24*time.Hour))); len(got) != 2 {
		t.Errorf("after 30 days %d of 2 are left", len(got))
	}
	if got := mustLoad(t, ledgerAt(dir, noon.Add(30*24*time.Hour+time.Second))); len(got) != 1 || got[0].Node != "young" {
		t.Errorf("a second later: %v", got)
	}
	if left := names(t, dir, "*"); len(left) != 2 {
		t.Errorf("left are %v: want one verdict and its content", left)
	}
}

func TestLedgerTellsAndSkipsWhatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	l := ledgerAt(dir, noon)
	mustSave(t, l, verdictOf("fine", "r2", nil), verdictOf("lost", "r3", &xds.Good{Revision: "r1", Body: []byte("1")}))
	for name, text := range map[string]string{"half.json": `{"Node": "ha`, "empty.json": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, content := range names(t, dir, "*.content") {
		if err := os.Remove(content); err != nil {
			t.Fatal(err)
		}
	}
	verdicts, err := l.Load()
	for _, name := range []string{"half.json", "empty.json", ".content"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not tell of %s: %v", name, err)
		}
	}
	if len(verdicts) != 2 {
		t.Fatalf("%d verdicts, want 2: one still says what not to send when its content is lost", len(verdicts))
	}
	for _, v := range verdicts {
		if v.Node == "lost" && (v.Good.Revision != "r1" || v.Good.Body != nil) {
			t.Errorf("good %+v", v.Good)
		}
	}
}

func TestLedgerCleansUpAfterACrash(t *testing.T) {
	dir := t.TempDir()
	partial := filepath.Join(dir, partialPrefix+"x.json.1")
	if err := os.WriteFile(partial, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, ledgerAt(dir, noon))
	if _, err := os.Stat(partial); err == nil {
		t.Error("it is still there")
	}
}

// TestLedgerDoesNotReadOutsideItsFolder: a file that names another one by a path gets nothing of it.
func TestLedgerDoesNotReadOutsideItsFolder(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	folder := filepath.Join(dir, "verdicts")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`{"Node":"a","At":%q,"Good":{"Revision":"r"},"GoodFile":"../secret"}`, noon.Format(time.RFC3339))
	for path, text := range map[string]string{secret: "s", filepath.Join(folder, "a.json"): text} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	verdicts, err := ledgerAt(folder, noon).Load()
	if err == nil || len(verdicts) != 1 || verdicts[0].Good.Body != nil {
		t.Errorf("verdicts %+v, error %v", verdicts, err)
	}
}

// TestLedgerTakesAllAtOnce: a bad edit is refused by every proxy in the same moment.
func TestLedgerTakesAllAtOnce(t *testing.T) {
	dir := t.TempDir()
	l := ledgerAt(dir, noon)
	good := &xds.Good{Revision: "r1", Body: []byte("module")}
	const proxies = 50
	var all sync.WaitGroup
	for i := range proxies {
		all.Go(func() {
			if err := l.Save(verdictOf(fmt.Sprint("proxy-", i), "r2", good)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := mustLoad(t, l); len(got) != proxies {
		t.Errorf("%d verdicts, want %d", len(got), proxies)
	}
}

func TestNewLedgerIsInTheStateDirectory(t *testing.T) {
	d := openDir(t, t.TempDir())
	v := verdictOf("a", "r2", nil)
	v.At = time.Now().UTC()
	mustSave(t, NewLedger(d), v)
	if diff := cmp.Diff([]xds.Verdict{v}, mustLoad(t, NewLedger(d))); diff != "" {
		t.Error(diff)
	}
	if len(names(t, d.Verdicts(), "*.json")) != 1 {
		t.Error("it is not in the folder of verdicts")
	}
}
