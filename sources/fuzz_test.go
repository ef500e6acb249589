package sources

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzDecode: whatever the text, Decode does not panic, does not take long, points into the text, and reads a document
// the same way twice.
func FuzzDecode(f *testing.F) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range archives {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			f.Add(file.Data, filepath.Ext(file.Name) == ".json")
		}
	}
	decoder := newDecoder(f)
	f.Fuzz(func(t *testing.T, text []byte, json bool) {
		began := time.Now()
		documents, broken := decoder.Decode("f", text, DecodeOptions{Dir: "/d", JSON: json})
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		for _, b := range broken {
			if b.Problem.What == "" || b.Problem.Code == "" || b.Problem.Origin.Line > len(text)+2 {
				t.Errorf("a problem that says nothing: %+v", b)
			}
		}
		for _, d := range documents {
			if d.Key.Name == "" || d.Origin.Line == 0 || (d.Filter == nil) == (d.Proxy == nil) {
				t.Errorf("half a document: %+v", d)
			}
		}
		again, _ := decoder.Decode("f", text, DecodeOptions{Dir: "/d", JSON: json})
		if string(describe(documents, nil)) != string(describe(again, nil)) {
			t.Error("read differently the second time")
		}
	})
}
