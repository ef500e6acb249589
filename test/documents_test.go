package test

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/graft-xds/graft/sources"
)

// pages gives the text of each page of documentation, by its path from the root of the project.
func pages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata"):
			return fs.SkipDir
		case filepath.Ext(path) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		out[strings.TrimPrefix(path, root+string(filepath.Separator))] = string(text)
		return err
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("%d pages: %v", len(out), err)
	}
	return out
}

// What a page shows as a document is read as graft serve reads it.
func TestDocumentsInPagesDecode(t *testing.T) {
	decoder, err := sources.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	fences, shown := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```"), 0
	for page, text := range pages(t) {
		for _, at := range fences.FindAllStringSubmatchIndex(text, -1) {
			fence := text[at[2]:at[3]]
			if !strings.Contains(fence, "apiVersion: graft.dev/") {
				continue
			}
			shown++
			// Empty lines in front give problems the line that they have in the page.
			above := strings.Repeat("\n", strings.Count(text[:at[2]], "\n"))
			if _, broken := decoder.Decode(page, []byte(above+fence), sources.DecodeOptions{}); len(broken) > 0 {
				for _, b := range broken {
					t.Errorf("%v\n  %s", b.Problem, b.Problem.Hint)
				}
			}
		}
	}
	if shown == 0 {
		t.Error("no page shows a document")
	}
}

// A link within the project leads to a file that is there, and to a heading of it.
func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fences := regexp.MustCompile("(?ms)^```.*?^```|`[^`\n]*`")
	all := pages(t)
	for page, text := range all {
		for _, found := range link.FindAllStringSubmatch(fences.ReplaceAllString(text, ""), -1) {
			to, err := url.Parse(found[1])
			if err != nil || to.IsAbs() {
				continue
			}
			target := page
			if to.Path != "" {
				target = filepath.Join(filepath.Dir(page), to.Path)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: %s: there is no %s", page, found[1], target)
				continue
			}
			if to.Fragment != "" && !anchors(all[target])[to.Fragment] {
				t.Errorf("%s: %s: no heading of %s is called so", page, found[1], target)
			}
		}
	}
}

// anchors gives the names of the headings of a page, as links spell them.
func anchors(text string) map[string]bool {
	out := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		spelled := regexp.MustCompile(`[^\pL\pN\- _]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		out[strings.ReplaceAll(spelled, " ", "-")] = true
	}
	return out
}

// The page that says where things are knows every folder, and stays one page.
func TestArchitectureIsOnePageAndKnowsEachFolder(t *testing.T) {
	text := pages(t)[filepath.Join("docs", "ARCHITECTURE.md")]
	if lines := strings.Count(text, "\n"); lines > 120 {
		t.Errorf("docs/ARCHITECTURE.md has %d lines: one page is at most 120", lines)
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() && name != "bin" && !strings.HasPrefix(name, ".") && !strings.Contains(text, "`"+name) {
			t.Errorf("docs/ARCHITECTURE.md says nothing of %s", name)
		}
	}
}
