package snapshot

import (
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"golang.org/x/tools/txtar"
)

// FuzzBuild builds whatever Parse takes, for proxies of every kind, twice: it never panics and is always closed.
func FuzzBuild(f *testing.F) {
	cases, err := filepath.Glob("testdata/build/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range cases {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for i, section := range txtar.Parse(data).Files {
			if filepath.Ext(section.Name) == ".yaml" && section.Name[:2] == "in" {
				f.Add(string(section.Data), "graft/mesh/1-of-2", uint8(i))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text, foreign string, outcomes uint8) {
		docs, err := readDocuments("in.yaml", text, map[string]File{})
		if err != nil || !utf8.ValidString(foreign) { // a name off the wire always is
			return
		}
		cfg, _ := Parse(docs, nil, nil)
		in := Input{Config: cfg, Modules: map[Ref]Outcome{}, Options: Options{ModuleHost: "m", ModulePort: 1}}
		for i, ref := range Wanted(cfg, Memory{}) {
			switch (int(outcomes) + i) % 3 {
			case 0:
				in.Modules[ref] = Outcome{Module: &Module{Digest: "sha256:00", Bytes: []byte(text)}}
			case 1:
				in.Modules[ref] = Outcome{Err: &ModuleError{What: "broken"}}
			}
		}
		for _, traits := range []Traits{{FilterChain: true, Wasm: true, Extensions: true}, {Extensions: true}, {}} {
			in.Groups = append(in.Groups, cfg.Place(Node{ID: "edge-1", Cluster: "edge", Traits: traits}, []string{foreign}, ""))
		}
		in.Last = Build(in)
		checkFuzzed(t, in.Groups, in.Last)
		in.Modules = nil
		checkFuzzed(t, in.Groups, Build(in))
	})
}

func checkFuzzed(t *testing.T, groups []Group, result *Result) {
	for _, p := range result.Problems {
		if p.Code == CodeInternal {
			t.Error(p)
		}
	}
	for _, group := range groups {
		for name, content := range result.Groups[group.Key].Slots {
			if content == nil || content.Slot != name {
				t.Fatalf("slot %s has %v", name, content)
			}
			content.Render(Variant{Attempt: "1"})
		}
	}
}
