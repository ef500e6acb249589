package plane

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/xds"
)

// stateOfDocuments is what a Plane publishes for the connected proxies.
func stateOfDocuments(t *testing.T, text string, modules map[string]snapshot.Outcome, groups func(*snapshot.Config) []snapshot.Group) *State {
	t.Helper()
	docs, broken := read(t, "in.yaml", text)
	config, problems := snapshot.Parse(docs, broken, nil)
	outcomes := map[snapshot.Ref]snapshot.Outcome{}
	for _, ref := range snapshot.Wanted(config, snapshot.Memory{}) {
		outcomes[ref] = modules[ref.Location]
	}
	in := snapshot.Input{Config: config, Modules: outcomes}
	if groups != nil {
		in.Groups = groups(config)
	}
	res := snapshot.Build(in)
	return &State{Config: config, Result: res, Problems: append(problems, res.Problems...), Modules: outcomes, At: noon}
}

func TestRenderStateShowsEveryGroupOnce(t *testing.T) {
	old := node("old")
	old.Cluster, old.Traits.FilterChain = "edge", false
	var groups []snapshot.Group
	state := stateOfDocuments(t, web+lua("melon", "1"), nil, func(config *snapshot.Config) []snapshot.Group {
		groups = PlaceAll(config, []snapshot.Node{node("new"), old})
		return groups
	})
	connected := []xds.Proxy{
		{Node: old, Group: groups[1].Key},
		{Node: node("z"), Group: groups[0].Key},
		{Node: node("a"), Group: groups[0].Key},
		{Node: node("lost"), Group: "not built yet"},
	}
	rendered, err := RenderState(state, connected)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rendered {
		slots := strings.Count(r.Text, "\n# TypedExtensionConfig graft/web")
		got = append(got, r.Node.ID+" "+strings.Repeat("|", slots))
	}
	if diff := cmp.Diff([]string{"a |", "old ||||||||"}, got); diff != "" {
		t.Errorf("groups and their slots, by cluster and id:\n%s", diff)
	}
}

func TestRenderStateWithoutProxiesShowsExamples(t *testing.T) {
	rendered, err := RenderState(stateOfDocuments(t, web+lua("melon", "1"), nil, nil), nil)
	if err != nil || len(rendered) != 1 || rendered[0].Node.ID != "edge" || !strings.Contains(rendered[0].Text, "name: default/melon") {
		t.Errorf("rendered %+v, %v", rendered, err)
	}
}

func TestModulesOf(t *testing.T) {
	if got := ModulesOf(nil); got == nil || len(got) != 0 {
		t.Errorf("before the first publish %v, want an empty list", got)
	}
	state := stateOfDocuments(t, web+wasm("melon", "1")+wasm("lemon", "1")+wasm("plum", "1")+wasm("bad", "1")+lua("script", "1"),
		map[string]snapshot.Outcome{
			"/melon.wasm": inHand("m"), "/lemon.wasm": inHand("m"), "/plum.wasm": inHand("plum"), "/bad.wasm": failed("bad"),
		}, ExampleGroups)
	want := []ModuleUse{
		{ModuleStatus{module("plum").Digest, 4, "0.2.1"}, []string{"default/plum"}},
		{ModuleStatus{module("m").Digest, 1, "0.2.1"}, []string{"default/lemon", "default/melon"}},
	}
	if diff := cmp.Diff(want, ModulesOf(state)); diff != "" {
		t.Error(diff)
	}
}
