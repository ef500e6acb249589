package snapshot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// TestProblems holds the exact text of every problem that Parse finds: testdata/problems/<case>.txtar has in.yaml,
// perhaps files that it names (read by their names), and problems.txt. Nothing of in.yaml was in force before.
func TestProblems(t *testing.T) {
	cases, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	seen := map[Code]bool{}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			in, want, files := "", "", map[string]File{}
			for _, f := range archive.Files {
				switch f.Name {
				case "in.yaml":
					in = string(f.Data)
				case "problems.txt":
					want = string(f.Data)
				default:
					files[f.Name] = File{Data: f.Data, Stamp: "1"}
				}
			}
			_, problems := Parse(parsedYAML(t, "in.yaml", in, files), nil, nil)
			for _, p := range problems {
				seen[p.Code] = true
			}
			got := problemText(problems)
			if *update {
				writeArchive(t, path, archive, "problems.txt", got)
			} else if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
	for _, explained := range ParseExplanations() {
		if !seen[explained.Code] {
			t.Errorf("no case shows a problem with code %s", explained.Code)
		}
		delete(seen, explained.Code)
	}
	for code := range seen {
		t.Errorf("code %s is not explained", code)
	}
}

// writeArchive puts a new text into a section of a txtar file.
func writeArchive(t *testing.T, path string, archive *txtar.Archive, section, text string) {
	t.Helper()
	found := false
	for i := range archive.Files {
		if archive.Files[i].Name == section {
			archive.Files[i].Data, found = []byte(text), true
		}
	}
	if !found {
		archive.Files = append(archive.Files, txtar.File{Name: section, Data: []byte(text)})
	}
	if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}
