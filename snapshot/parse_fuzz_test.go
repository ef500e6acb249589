package snapshot

import (
	"path/filepath"
	"slices"
	"testing"

	"buf.build/go/protovalidate"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"google.golang.org/protobuf/proto"
)

// FuzzParse feeds documents that the rules of the schema let by, as sources do, and asks that Parse never panics, gives
// the same whatever the order of the documents, sorted; and that what it takes makes resources that Envoy's rules take.
func FuzzParse(f *testing.F) {
	paths, _ := filepath.Glob("testdata/*/*.txtar")
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, section := range archive.Files {
			if section.Name == "in.yaml" {
				f.Add(string(section.Data), "")
			}
		}
	}
	f.Add(filterYAML("melon", luaSpec), filterYAML("melon", "lua: {code: x}"))
	rules, err := protovalidate.New()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		docs := slices.Concat(validDocuments(rules, "a.yaml", first), validDocuments(rules, "b.yaml", second))
		config, problems := Parse(docs, nil, nil)
		if !slices.IsSortedFunc(problems, CompareProblems) || !slices.IsSortedFunc(config.Filters, compareFilters) {
			t.Error("not sorted")
		}
		slices.Reverse(docs)
		again, problemsAgain := Parse(docs, nil, nil)
		if diff := cmp.Diff(problemText(problems), problemText(problemsAgain)); diff != "" {
			t.Errorf("problems depend on the order of documents:\n%s", diff)
		}
		if diff := cmp.Diff(configText(config), configText(again)); diff != "" {
			t.Errorf("the config depends on the order of documents:\n%s", diff)
		}
		for _, p := range config.Proxies {
			for _, r := range proxyResources(p, false) {
				if err := validate(unpack(t, r)); err != nil {
					t.Errorf("%s %q: %v", r.Type, r.Name, err)
				}
			}
		}
		if data, err := MarshalMemory(Memory{Documents: config.Documents}); err != nil {
			t.Error(err)
		} else if memory, err := UnmarshalMemory(data); err != nil {
			t.Error(err)
		} else if remembered, _ := Parse(memory.Documents, nil, nil); remembered.Selection != config.Selection || len(remembered.Filters) != len(config.Filters) {
			t.Error("remembered documents mean something else")
		}
	})
}

func validDocuments(rules protovalidate.Validator, file, text string) []Document {
	docs, err := readDocuments(file, text, nil)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(docs, func(d Document) bool {
		message := proto.Message(d.Filter)
		if d.Proxy != nil {
			message = d.Proxy
		}
		return rules.Validate(message) != nil
	})
}
