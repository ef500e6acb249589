package plane

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/graft-xds/graft/snapshot"
)

// TestText prints what testdata/text/*.txtar describe: in.yaml are documents, out.yaml is what a proxy that asks for the
// slot graft/web by itself gets of them. The module of a filter is its path, over and over again where it begins with long.
func TestText(t *testing.T) {
	files, err := filepath.Glob("testdata/text/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := textOf(t, string(archive.Files[0].Data))
			if strings.Contains(got, "PRIVATE") || strings.Contains(got, "UFJJVkFURQ") {
				t.Error("it shows what is private")
			}
			if *update {
				archive.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(archive.Files[1].Data), got); diff != "" {
				t.Errorf("want (-), got (+); go test ./plane -update\n%s", diff)
			}
		})
	}
}

func textOf(t *testing.T, documents string) string {
	t.Helper()
	docs, broken := read(t, "in.yaml", documents)
	config, problems := snapshot.Parse(docs, broken, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	outcomes := map[snapshot.Ref]snapshot.Outcome{}
	for _, ref := range snapshot.Wanted(config, snapshot.Memory{}) {
		bytes := ref.Location
		if strings.HasPrefix(bytes, "/long") {
			bytes = strings.Repeat(bytes, 100)
		}
		outcomes[ref] = inHand(bytes)
	}
	group := config.Place(node("envoy"), []string{"graft/web"}, "")
	res := snapshot.Build(snapshot.Input{Config: config, Modules: outcomes, Groups: []snapshot.Group{group}})
	if len(res.Problems) > 0 {
		t.Fatal(res.Problems)
	}
	text, err := Text(res.Groups[group.Key])
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestTextLeavesTheResourcesAlone: what is printed is shared with what is sent.
func TestTextLeavesTheResourcesAlone(t *testing.T) {
	docs, _ := read(t, "in.yaml", web)
	config, _ := snapshot.Parse(docs, nil, nil)
	groups := ExampleGroups(config)
	res := snapshot.Build(snapshot.Input{Config: config, Groups: groups})
	listener := res.Groups[groups[0].Key].Types[snapshot.ListenerType][0]
	before := string(listener.Body)
	for range 2 {
		if _, err := Text(res.Groups[groups[0].Key]); err != nil {
			t.Fatal(err)
		}
	}
	if string(listener.Body) != before {
		t.Error("the listener is another one now")
	}
}

func TestTextOfWhatIsNone(t *testing.T) {
	_, err := Text(&snapshot.Resources{Types: map[string][]*snapshot.Resource{
		snapshot.ClusterType: {{Type: snapshot.ClusterType, Name: "app", Body: []byte{0xff}}},
	}})
	if err == nil || !strings.HasPrefix(err.Error(), "print "+snapshot.ClusterType+` "app": `) {
		t.Errorf("error %v", err)
	}
}
