package snapshot

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// TestBuildGolden builds what each testdata/build/*.txtar describes, in steps. What a step has in.yaml (documents),
// modules.yaml (what became of each module) and nodes.yaml (the proxies), with the number of the step in the name from the
// second on; what a step leaves out is as before. A step with restart.txt begins a new process. What it gives is in
// problems.txt, status.txt and xds.yaml.
func TestBuildGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/build/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { runGolden(t, file) })
	}
}

func runGolden(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g := newGolden(txtar.Parse(data))
	w := &world{t: t}
	for step := 1; g.inputs(step, w); step++ {
		w.build()
		g.add("problems", ".txt", problemText(w.result.Problems))
		g.add("status", ".txt", w.status())
		g.add("xds", ".yaml", w.xds())
	}
	for name := range g.sections {
		t.Errorf("section %s belongs to no step", name)
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(g.made), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(data), string(txtar.Format(g.made))); diff != "" {
		t.Errorf("want (-), got (+); go test ./snapshot -update\n%s", diff)
	}
}

// golden is a case on its way from what it says to what comes out.
type golden struct {
	sections map[string]string // that are not accounted for yet
	made     *txtar.Archive
	suffix   string // of the step in names
}

func newGolden(archive *txtar.Archive) *golden {
	g := &golden{sections: map[string]string{}, made: &txtar.Archive{Comment: archive.Comment}}
	for _, section := range archive.Files {
		g.sections[section.Name] = string(section.Data)
	}
	return g
}

func (g *golden) add(name, ext, text string) {
	name += g.suffix + ext
	delete(g.sections, name)
	g.made.Files = append(g.made.Files, txtar.File{Name: name, Data: []byte(text)})
}

// inputs takes what a step says; false if it says nothing.
func (g *golden) inputs(step int, w *world) bool {
	if step > 1 {
		g.suffix = fmt.Sprint(step)
	}
	said := false
	for _, input := range []struct {
		name, ext string
		take      func(string)
	}{{"restart", ".txt", w.restart}, {"in", ".yaml", w.documents}, {"modules", ".yaml", w.modules}, {"nodes", ".yaml", w.nodes}} {
		if text, ok := g.sections[input.name+g.suffix+input.ext]; ok {
			input.take(text)
			g.add(input.name, input.ext, text)
			said = true
		}
	}
	return said
}
