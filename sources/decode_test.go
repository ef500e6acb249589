package sources

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/graft-xds/graft/snapshot"
)

var update = flag.Bool("update", false, "rewrite the expected results in testdata")

func newDecoder(t testing.TB) *Decoder {
	t.Helper()
	d, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDecode decodes each file in testdata/*.txtar as if it lay in /etc/graft and compares the result with the section
// of the same name and .out.
func TestDecode(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no testdata", err)
	}
	decoder := newDecoder(t)
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := decodeArchive(decoder, archive)
			if *update {
				if err := os.WriteFile(name, txtar.Format(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(txtar.Format(archive)), string(txtar.Format(got))); diff != "" {
				t.Errorf("-want +got (run with -update to accept):\n%s", diff)
			}
		})
	}
}

// decodeArchive gives the archive with each result behind its input; results without an input are left out.
func decodeArchive(d *Decoder, in *txtar.Archive) *txtar.Archive {
	out := &txtar.Archive{Comment: in.Comment}
	for _, f := range in.Files {
		if strings.HasSuffix(f.Name, ".out") {
			continue
		}
		documents, broken := d.Decode(f.Name, f.Data, DecodeOptions{Dir: "/etc/graft"})
		out.Files = append(out.Files, f, txtar.File{Name: f.Name + ".out", Data: describe(documents, broken)})
	}
	return out
}

// describe prints what came out as people would read it.
func describe(documents []snapshot.Document, broken []snapshot.Broken) []byte {
	var b bytes.Buffer
	for _, x := range broken {
		fmt.Fprintf(&b, "%v\n", x.Problem)
		if x.Problem.Hint != "" {
			fmt.Fprintf(&b, "\t%s\n", x.Problem.Hint)
		}
		held := "everything that this file held"
		if x.Key != (snapshot.Key{}) {
			held = x.Key.String()
		}
		fmt.Fprintf(&b, "\t[%s] keeps its last form: %s\n", x.Problem.Code, held)
	}
	for i := range documents {
		d := &documents[i]
		fmt.Fprintf(&b, "%s at %d:%d %s\n", d.Key, d.Origin.Line, d.Origin.Column, oneLine(d))
		for _, ref := range References(d) {
			fmt.Fprintf(&b, "\t%s -> %s\n", ref.Field, ref.Path)
		}
	}
	return b.Bytes()
}

// oneLine gives the spec as JSON with stable spacing.
func oneLine(d *snapshot.Document) string {
	var m proto.Message = d.Filter.GetSpec()
	if d.Proxy != nil {
		m = d.Proxy.GetSpec()
	}
	text, err := protojson.Marshal(m)
	if err != nil {
		return err.Error()
	}
	var b bytes.Buffer // protojson varies the spaces on purpose
	if err := json.Compact(&b, text); err != nil {
		return err.Error()
	}
	return b.String()
}

func TestPositions(t *testing.T) {
	text := "# first\n---\napiVersion: graft.dev/v1alpha1\nkind: Filter\nmetadata:\n  name: a\n  labels: {app.kubernetes.io/name: x}\nspec:\n  wasm:\n    module: a.wasm\n    config:\n      deep: [1, {er: 2}]\n    env:\n      HOME: /\n  targets:\n  - listeners: [web,\n      api]\n"
	documents, broken := newDecoder(t).Decode("a.yaml", []byte(text), DecodeOptions{})
	if len(broken) > 0 || len(documents) != 1 {
		t.Fatalf("%d documents, broken: %v", len(documents), broken)
	}
	d := &documents[0]
	for field, want := range map[string]string{
		"metadata.name": "6:3",
		`metadata.labels["app.kubernetes.io/name"]`: "7:12",
		"spec.wasm":                    "9:3",
		"spec.wasm.module":             "10:5",
		"spec.wasm.config.deep[1].er":  "12:18",
		"spec.wasm.env.HOME":           "14:7",
		"spec.targets[0]":              "16:5",
		"spec.targets[0].listeners[0]": "16:17",
		"spec.targets[0].listeners[1]": "17:7",
		"spec.targets[0].nodes.id":     "16:5", // not written: the nearest around it
		"spec.wasm.sha256":             "9:3",
	} {
		if at := d.At(field); fmt.Sprintf("%d:%d", at.Line, at.Column) != want {
			t.Errorf("%s is at %d:%d, want %s", field, at.Line, at.Column, want)
		}
	}
	if d.Origin.Line != 3 {
		t.Errorf("the document begins in line %d, want 3", d.Origin.Line)
	}
}

// TestText is for what an archive of texts cannot hold.
func TestText(t *testing.T) {
	good := "apiVersion: graft.dev/v1alpha1\nkind: Filter\nmetadata: {name: a}\nspec: {lua: {code: x}}\n"
	for _, c := range []struct {
		name, text string
		documents  int
		want       string
	}{
		{"empty", "", 0, ""},
		{"comments only", "# nothing\n\n--- # still nothing\n...\n", 0, ""},
		{"null documents", "---\n~\n---\nnull\n---\n", 0, ""},
		{"byte order mark", "\ufeff" + good, 1, ""},
		{"CRLF", strings.ReplaceAll("---\n"+good+"---\n"+strings.ReplaceAll(good, "name: a", "name: b"), "\n", "\r\n"), 2, ""},
		{"no newline at the end", strings.TrimSpace(good), 1, ""},
		{"directive", "%YAML 1.2\n---\n" + good, 1, ""},
		{"document end marks", good + "...\n" + good + "...\n# end\n", 2, ""},
		{"object beside the marker", "--- {apiVersion: graft.dev/v1alpha1, kind: Filter, metadata: {name: a}, spec: {lua: {code: x}}}\n", 1, ""},
		{"UTF-16", "\xff\xfea\x00", 0, "f.yaml:1:1: the file is UTF-16"},
		{"Latin-1", good + "# caf\xe9\n", 0, "f.yaml:5:6: byte 0xe9 is not UTF-8 text"},
		{"binary", "\x00asm\x01\x00", 0, "f.yaml:1:1: a control character (0x00)"},
		{"escape sequence", good + "# \x1b[0m\n", 0, "f.yaml:5:3: a control character (0x1b)"},
		{"too large", strings.Repeat("# padding\n", MaxBytes/10+1), 0, "f.yaml: the file has 16777220 bytes, more than 16 MiB"},
		{"deep flow", strings.Repeat("[", 200) + strings.Repeat("]", 200), 0, "f.yaml:1:102: nested deeper than 100 levels"},
		{"deeper flow", strings.Repeat("[", 20000), 0, "f.yaml:1:10001: exceeded max depth of 10000"},
		{"deep blocks", deepBlocks(150), 0, "f.yaml:101:101: nested deeper than 100 levels"},
	} {
		t.Run(c.name, func(t *testing.T) {
			documents, broken := newDecoder(t).Decode("f.yaml", []byte(c.text), DecodeOptions{})
			if len(documents) != c.documents {
				t.Errorf("%d documents, want %d", len(documents), c.documents)
			}
			var got []string
			for _, b := range broken {
				got = append(got, b.Problem.Error())
			}
			if diff := cmp.Diff(c.want, strings.Join(got, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func deepBlocks(levels int) string {
	var b strings.Builder
	for i := range levels {
		fmt.Fprintf(&b, "%sa:\n", strings.Repeat(" ", i))
	}
	return b.String()
}

// TestMemory: what is known by heart comes out as if it had been decoded, wherever it has moved to.
func TestMemory(t *testing.T) {
	decoder, memory := newDecoder(t), &Memory{}
	good := func(name string) string {
		return "---\napiVersion: graft.dev/v1alpha1\nkind: Filter\nmetadata: {name: " + name + "}\nspec: {lua: {code: x}}\n"
	}
	bad := strings.Replace(good("b"), "code", "kode", 1)
	for i, text := range []string{
		good("a") + good("b"), "# one more line\n" + good("a") + good("b"), good("b") + good("a"), good("a") + bad, good("c") + bad,
		good("a") + "{", good("a") + good("b"), good("a") + good("a"), "", good("a"),
	} {
		want, wantBroken := decoder.Decode("f.yaml", []byte(text), DecodeOptions{Dir: "/d"})
		got, broken := decoder.Decode("f.yaml", []byte(text), DecodeOptions{Dir: "/d", Memory: memory})
		if diff := cmp.Diff(string(describe(want, wantBroken)), string(describe(got, broken))); diff != "" {
			t.Errorf("step %d: %s", i, diff)
		}
		for j := range got {
			if diff := cmp.Diff(want[j].Positions, got[j].Positions); diff != "" {
				t.Errorf("step %d, document %d: %s", i, j, diff)
			}
		}
	}
}

// TestAliasBomb holds the decoder to a bound: nine levels of nine aliases stand for 387 million values.
func TestAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 x\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	_, broken := newDecoder(t).Decode("bomb.yaml", []byte(b.String()), DecodeOptions{})
	if len(broken) != 1 || !strings.Contains(broken[0].Problem.What, "stand for more than 100000 values") {
		t.Errorf("broken: %v", broken)
	}
}

func TestManyProblems(t *testing.T) {
	var b strings.Builder
	b.WriteString("apiVersion: graft.dev/v1alpha1\nkind: Filter\nmetadata: {name: a}\nspec:\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "  zz%d: 1\n", i)
	}
	_, broken := newDecoder(t).Decode("many.yaml", []byte(b.String()), DecodeOptions{})
	if len(broken) != maxProblems+1 {
		t.Fatalf("%d problems, want %d", len(broken), maxProblems+1)
	}
	if got := broken[0].Problem.What; got != "there are more problems in this document" {
		t.Errorf("the first is %q", got)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"wasm", "lua", "native", "order", "targets", "onFailure", "rootID", "vmID", "config"}
	for written, want := range map[string]string{
		"on_failure": "onFailure", "OnFailure": "onFailure", "rootId": "rootID", "root-id": "rootID", "conifg": "config",
		"taget": "targets", "target": "targets", "wsam": "wasm", "x": "", "zebra": "", "lu": "", "luaa": "lua", "cfg": "",
	} {
		if got := nearest(written, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", written, got, want)
		}
	}
}

func TestMergeIsStable(t *testing.T) {
	document := func(file string, line int, name string) snapshot.Document {
		return snapshot.Document{Origin: snapshot.Origin{File: file, Line: line}, Key: snapshot.Key{Kind: "Filter", Namespace: "default", Name: name}}
	}
	a := Set{Source: "a", Documents: []snapshot.Document{document("y", 9, "3"), document("x", 2, "1"), document("y", 1, "2")}}
	b := Set{
		Source: "b", Documents: []snapshot.Document{document("a", 1, "4")},
		Broken: []snapshot.Broken{{Problem: snapshot.Problem{What: "z"}}, {Problem: snapshot.Problem{What: "y"}}},
	}
	one, other := Merge([]Set{a, b}), Merge([]Set{b, a})
	if diff := cmp.Diff(one, other); diff != "" {
		t.Errorf("the order of the sets matters:\n%s", diff)
	}
	var names []string
	for _, d := range one.Documents {
		names = append(names, d.Key.Name)
	}
	if !slices.Equal(names, []string{"1", "2", "3", "4"}) {
		t.Errorf("documents in the order %v", names)
	}
	if a.Documents[0].Key.Name != "3" {
		t.Error("Merge sorted the Set that it was given")
	}
}
