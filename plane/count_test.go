package plane

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/xds"
)

// content makes what a slot carries from "melon=1 lemon=2": filters in forms; "melon=" is a deny in the place of melon.
func content(slot, filters string) *snapshot.Content {
	c := &snapshot.Content{Slot: slot, Revision: slot + " " + filters}
	for _, one := range strings.Fields(filters) {
		name, form, _ := strings.Cut(one, "=")
		c.Uses = append(c.Uses, snapshot.FilterUse{Key: filterKey(name), Hash: form})
	}
	return c
}

func filterKey(name string) snapshot.Key {
	return snapshot.Key{Kind: "Filter", Namespace: "default", Name: name}
}

// stateWith is a State that knows filters: "melon=1" is in force as it was written last.
func stateWith(filters string) *State {
	state := &State{At: noon, Result: &snapshot.Result{}, Config: &snapshot.Config{}}
	for _, use := range content("", filters).Uses {
		state.Result.Statuses = append(state.Result.Statuses, snapshot.FilterState{Key: use.Key, Hash: use.Hash, InForce: use.Hash})
	}
	return state
}

var nack = &xds.Refusal{Type: snapshot.ExtensionType, Name: "graft/web", Revision: "r", Text: "no such function", At: noon}

func slotState(wanted, acked *snapshot.Content, refusal *xds.Refusal) xds.SlotState {
	return xds.SlotState{Name: wanted.Slot, Wanted: wanted, Acked: acked, Refusal: refusal}
}

func proxy(id string, slots ...xds.SlotState) xds.Proxy {
	return xds.Proxy{Node: node(id), Slots: slots}
}

// route is a route configuration that carries filters in per-route chains.
func route(filters string, acked bool) xds.RouteState {
	return xds.RouteState{
		Wanted: &snapshot.Resource{Type: snapshot.RouteType, Name: "web", Version: "route " + filters, Uses: content("", filters).Uses}, Acked: acked,
	}
}

// tally prints the counts of each filter: "melon 2/1/0/1" is two targeted, one acked, none nacked, one pending.
func tally(s Status) string {
	var words []string
	for _, f := range s.Filters {
		words = append(words, fmt.Sprintf("%s %d/%d/%d/%d", strings.TrimPrefix(f.Name, "default/"), f.Targeted, f.Acked, f.Nacked, f.Pending))
	}
	return strings.Join(words, ", ")
}

func TestCounts(t *testing.T) {
	one, two := content("graft/web", "melon=1"), content("graft/web", "melon=2")
	both, swapped := content("graft/web", "melon=1 lemon=1"), content("graft/web", "lemon=1 melon=1")
	routeNACK := []xds.Refusal{{Type: snapshot.RouteType, Name: "web", Text: "no"}}
	for _, c := range []struct {
		name, filters string
		proxies       []xds.Proxy
		want          string // targeted/acked/nacked/pending
	}{
		{"nobody is connected", "melon=1", nil, "melon 0/0/0/0"},
		{"a proxy without slots", "melon=1", []xds.Proxy{proxy("a")}, "melon 0/0/0/0"},
		{"it runs it", "melon=1", []xds.Proxy{proxy("a", slotState(one, one, nil))}, "melon 1/1/0/0"},
		{"it has not answered", "melon=1", []xds.Proxy{proxy("a", slotState(one, nil, nil))}, "melon 1/0/0/1"},
		{"it runs the form before", "melon=2", []xds.Proxy{proxy("a", slotState(two, one, nil))}, "melon 1/0/0/1"},
		{"it refused the new form", "melon=2", []xds.Proxy{proxy("a", slotState(two, one, nack))}, "melon 1/0/1/0"},
		{"it refused the first form", "melon=1", []xds.Proxy{proxy("a", slotState(one, nil, nack))}, "melon 1/0/1/0"},
		{"the one beside it was refused", "melon=1 lemon=1", []xds.Proxy{proxy("a", slotState(both, one, nack))}, "melon 1/1/0/0, lemon 1/0/1/0"},
		{"an order was refused", "melon=1 lemon=1", []xds.Proxy{proxy("a", slotState(swapped, both, nack))}, "melon 1/1/0/0, lemon 1/1/0/0"},
		{"a deny stands in its place", "melon=1", []xds.Proxy{proxy("a", slotState(content("graft/web", "melon="), content("graft/web", "melon="), nil))}, "melon 1/0/0/1"},
		{"two slots, one behind", "melon=2", []xds.Proxy{proxy("a", slotState(two, two, nil), slotState(content("graft/in", "melon=2"), nil, nil))}, "melon 1/0/0/1"},
		{"two slots, one refused, one behind", "melon=2", []xds.Proxy{proxy("a", slotState(content("graft/in", "melon=2"), nil, nil), slotState(two, one, nack))}, "melon 1/0/1/0"},
		{"many proxies", "melon=2", []xds.Proxy{
			proxy("a", slotState(two, two, nil)), proxy("b", slotState(two, two, nil)), proxy("c", slotState(two, one, nil)),
			proxy("d", slotState(two, one, nack)), proxy("e", slotState(two, one, nack)), proxy("f"),
		}, "melon 5/2/2/1"},
		{"on a route, acked", "melon=1", []xds.Proxy{{Node: node("a"), Routes: []xds.RouteState{route("melon=1", true)}}}, "melon 1/1/0/0"},
		{"on a route, on its way", "melon=1", []xds.Proxy{{Node: node("a"), Routes: []xds.RouteState{route("melon=1", false)}}}, "melon 1/0/0/1"},
		{"on a route, refused", "melon=1", []xds.Proxy{{Node: node("a"), Routes: []xds.RouteState{route("melon=1 melon=1", false)}, Refusals: routeNACK}}, "melon 1/0/1/0"},
		{"on a route, a deny in its place", "melon=1", []xds.Proxy{{Node: node("a"), Routes: []xds.RouteState{route("melon=", true)}}}, "melon 1/0/0/1"},
		{"in a slot and on a route that is behind", "melon=1", []xds.Proxy{{
			Node: node("a"), Slots: []xds.SlotState{slotState(one, one, nil)}, Routes: []xds.RouteState{route("melon=1", false)},
		}}, "melon 1/0/0/1"},
		{"a filter that is gone meanwhile", "lemon=1", []xds.Proxy{proxy("a", slotState(one, one, nil))}, "lemon 0/0/0/0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := tally(StatusOf(stateWith(c.filters), c.proxies)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			filters, proxies := FiltersOf(stateWith(c.filters), c.proxies)
			if got := tally(Status{Filters: filters}); got != c.want || proxies != len(c.proxies) {
				t.Errorf("FiltersOf gives %s of %d proxies, want %s", got, proxies, c.want)
			}
		})
	}
}

func TestRefusalsStandAtTheFiltersThatTheyKeepOut(t *testing.T) {
	both, one := content("graft/web", "melon=1 lemon=1"), content("graft/web", "melon=1")
	refused := xds.Refusal{Type: snapshot.RouteType, Name: "web", Text: "no route", At: noon}
	s := StatusOf(stateWith("melon=1 lemon=1 plum=1"), []xds.Proxy{
		proxy("a", slotState(both, one, nack)), proxy("b", slotState(both, one, nack)),
		{Node: node("c"), Routes: []xds.RouteState{route("plum=1 plum=1", false)}, Refusals: []xds.Refusal{refused}},
	})
	want := map[string][]Refusal{
		"default/lemon": {
			{Proxy: "a", Resource: "graft/web", Revision: "r", Text: "no such function", At: noon},
			{Proxy: "b", Resource: "graft/web", Revision: "r", Text: "no such function", At: noon},
		},
		"default/plum": {{Proxy: "c", Resource: "web", Text: "no route", At: noon}},
	}
	for _, f := range s.Filters {
		if diff := cmp.Diff(want[f.Name], f.Refusals); diff != "" {
			t.Errorf("%s:\n%s", f.Name, diff)
		}
	}
}

func TestRevisionsAreThoseThatCarryTheFilter(t *testing.T) {
	a, b := content("graft/b", "melon=1"), content("graft/a", "melon=1 lemon=1")
	s := StatusOf(stateWith("melon=1 lemon=1"), []xds.Proxy{
		proxy("a", slotState(a, a, nil), slotState(b, b, nil)), proxy("b", slotState(a, a, nil)),
		{Node: node("c"), Routes: []xds.RouteState{route("lemon=1", true)}},
	})
	want := [][]string{{"graft/a melon=1 lemon=1", "graft/b melon=1"}, {"graft/a melon=1 lemon=1", "route lemon=1"}}
	if diff := cmp.Diff(want, [][]string{s.Filters[0].Revisions, s.Filters[1].Revisions}); diff != "" {
		t.Error(diff)
	}
}

// TestStreams: what an Envoy says over several streams is one proxy. They come sorted by node and time.
func TestStreams(t *testing.T) {
	one, two := content("graft/web", "melon=1"), content("graft/web", "melon=2")
	other := content("graft/in", "melon=2")
	ecds := func(slots ...xds.SlotState) xds.Proxy {
		return xds.Proxy{Node: node("a"), Service: snapshot.ExtensionType, Slots: slots}
	}
	for _, c := range []struct {
		name    string
		streams []xds.Proxy
		proxies int
		want    string
	}{
		{"ADS, and filters from a service of their own", []xds.Proxy{proxy("a"), ecds(slotState(two, two, nil))}, 1, "melon 1/1/0/0"},
		{"the other way round", []xds.Proxy{ecds(slotState(two, two, nil)), proxy("a")}, 1, "melon 1/1/0/0"},
		{"a stream for each slot", []xds.Proxy{ecds(slotState(two, two, nil)), ecds(slotState(other, nil, nil))}, 1, "melon 1/0/0/1"},
		{"it came back before its old stream was found dead", []xds.Proxy{ecds(slotState(one, one, nil)), ecds(slotState(two, two, nil))}, 1, "melon 1/1/0/0"},
		{"two Envoys of one name on ADS", []xds.Proxy{proxy("a", slotState(two, two, nil)), proxy("a", slotState(two, nil, nil))}, 2, "melon 2/1/0/1"},
		{"two proxies", []xds.Proxy{proxy("a", slotState(two, two, nil)), proxy("b", slotState(two, two, nil))}, 2, "melon 2/2/0/0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := StatusOf(stateWith("melon=2"), c.streams)
			if got := tally(s); got != c.want || len(s.Proxies) != c.proxies {
				t.Errorf("%d proxies, %s; want %d, %s", len(s.Proxies), got, c.proxies, c.want)
			}
		})
	}
}

// TestJoinedStreamsKeepWhatOnlyOneSays looks at all that is joined, and that the streams themselves stay as they are.
func TestJoinedStreamsKeepWhatOnlyOneSays(t *testing.T) {
	two := content("graft/web", "melon=2")
	streams := []xds.Proxy{
		{
			Node: node("a"), Slots: append(make([]xds.SlotState, 0, 4), slotState(two, nil, nil)),
			Routes:   []xds.RouteState{route("melon=2", false)},
			Refusals: []xds.Refusal{{Type: snapshot.ListenerType, Name: "web", Text: "old"}, {Type: snapshot.RouteType, Name: "web", Text: "route"}},
		},
		{
			Node: node("a"), Service: snapshot.ListenerType,
			Refusals: []xds.Refusal{{Type: snapshot.ListenerType, Name: "web", Text: "new"}},
		},
	}
	s := StatusOf(stateWith("melon=2"), streams)
	if len(s.Proxies) != 1 || len(s.Proxies[0].Slots) != 1 {
		t.Fatalf("proxies %+v", s.Proxies)
	}
	var texts []string
	for _, r := range s.Proxies[0].Refusals {
		texts = append(texts, r.Text)
	}
	if diff := cmp.Diff([]string{"route", "new"}, texts); diff != "" {
		t.Error(diff)
	}
	if len(streams[0].Refusals) != 2 || streams[0].Refusals[0].Text != "old" {
		t.Error("the caller's streams were written to")
	}
}

// TestStatusOfEveryProxy takes the parts of a proxy apart.
func TestStatusOfEveryProxy(t *testing.T) {
	wanted, acked := content("graft/web", "melon=2 lemon="), content("graft/web", "melon=1 lemon=")
	p := proxy("a", slotState(wanted, acked, nack), slotState(content("graft/in", ""), nil, nil))
	p.Node.Cluster, p.Node.Traits.Version, p.Since = "edge", "1.40.0", noon.Add(-time.Hour)
	p.Refusals = []xds.Refusal{{Type: snapshot.ListenerType, Name: "web", Revision: "l", Text: "port in use", At: noon}}
	got := StatusOf(nil, []xds.Proxy{p})
	want := Status{
		Filters: []FilterStatus{}, Problems: []Problem{},
		Proxies: []ProxyStatus{{
			ID: "a", Cluster: "edge", Version: "1.40.0", Since: noon.Add(-time.Hour), ChainSlot: true,
			Slots: []SlotStatus{
				{
					Name: "graft/web", Wanted: wanted.Revision, Running: acked.Revision, Filters: []string{"default/melon"},
					Refusal: &Refusal{Proxy: "a", Resource: "graft/web", Revision: "r", Text: "no such function", At: noon},
				},
				{Name: "graft/in", Wanted: "graft/in ", Filters: []string{}},
			},
			Refusals: []Refusal{{Proxy: "a", Resource: "web", Revision: "l", Text: "port in use", At: noon}},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestStatusOfEveryFilter: what Build says of a filter.
func TestStatusOfEveryFilter(t *testing.T) {
	m := module("melon")
	key := filterKey("melon")
	for _, c := range []struct {
		name string
		in   snapshot.FilterState
		want FilterStatus
	}{
		{"newest", snapshot.FilterState{Hash: "2", InForce: "2", Module: m}, FilterStatus{InForce: true, Newest: true, Module: &ModuleStatus{m.Digest, 5, "0.2.1"}}},
		{"earlier", snapshot.FilterState{Hash: "2", InForce: "1", Problems: []string{"no"}}, FilterStatus{InForce: true, Problems: []string{"no"}}},
		{"waiting", snapshot.FilterState{Hash: "2", Waiting: true}, FilterStatus{Waiting: true}},
		{"none", snapshot.FilterState{Hash: "2", Problems: []string{"no"}}, FilterStatus{Problems: []string{"no"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.in.Key, c.want.Name, c.want.Revisions = key, "default/melon", []string{}
			state := &State{Result: &snapshot.Result{Statuses: []snapshot.FilterState{c.in}}}
			if diff := cmp.Diff([]FilterStatus{c.want}, StatusOf(state, nil).Filters); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func BenchmarkStatus(b *testing.B) {
	var filters []string
	for i := range 1000 {
		filters = append(filters, fmt.Sprintf("f%d=1", i))
	}
	state, chain := stateWith(strings.Join(filters, " ")), content("graft/web", strings.Join(filters, " "))
	var proxies []xds.Proxy
	for i := range 10_000 {
		proxies = append(proxies, proxy(fmt.Sprint(i), slotState(chain, chain, nil)))
	}
	for b.Loop() {
		FiltersOf(state, proxies)
	}
}
