package test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/graft-xds/graft/module"
	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/sources"
)

var update = flag.Bool("update", false, "rewrite docs/reference")

// compare holds a page of docs/reference to what it is made from; -update rewrites it.
func compare(t *testing.T, page, want string) {
	t.Helper()
	path := root + "/docs/reference/" + page
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not what the code says (run make generate) (-code +page):\n%s", path, diff)
	}
}

// TestProblems keeps docs/reference/problems.md: each code that the packages explain.
func TestProblems(t *testing.T) {
	var out strings.Builder
	out.WriteString(`# Problems

<!-- Made from the tables of the packages by "make generate". -->

What can be wrong with documents and modules. A problem never costs a proxy its configuration: what it is about keeps its last
good form, everything else goes on. The text of a problem says where, what, and how to mend it; the code says which sort it is,
in ` + "`/status`" + ` and in the log.
`)
	section := func(title string, explained []snapshot.Explanation) {
		fmt.Fprintf(&out, "\n## %s\n\n| Code | What it means |\n| --- | --- |\n", title)
		for _, e := range explained {
			fmt.Fprintf(&out, "| `%s` | %s |\n", e.Code, e.Meaning)
		}
	}
	section("When a file is read", sources.Explanations())
	section("When documents are put together", snapshot.ParseExplanations())
	section("When a module is taken into hand", module.Explanations())
	section("When resources are built for proxies", snapshot.BuildExplanations())
	compare(t, "problems.md", out.String())
}

// Every constant of the type snapshot.Code is explained.
func TestEachCodeIsExplained(t *testing.T) {
	explained := map[string]bool{}
	tables := [][]snapshot.Explanation{
		sources.Explanations(), snapshot.ParseExplanations(), module.Explanations(), snapshot.BuildExplanations(),
	}
	for _, e := range slices.Concat(tables...) {
		explained[string(e.Code)] = true
	}
	for code, at := range codes(t) {
		if !explained[code] {
			t.Errorf("%s: the code %q is in no table of explanations", at, code)
		}
		delete(explained, code)
	}
	for _, code := range slices.Sorted(maps.Keys(explained)) {
		t.Errorf("the code %q is explained, but there is no such code", code)
	}
}
