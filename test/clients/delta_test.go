package clients

import (
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/test/grafttest"
)

// deltaStep is what a client says, or somebody writes, and what the client then gets.
type deltaStep struct {
	edit  func(document string) string // of edge
	sub   []string
	unsub []string
	want  string // as inDelta has it; empty: nothing
}

// TestDeltaSubscriptions follows "How the client specifies what resources to return" and "Unsubscribing from resources" of
// the xDS protocol, on an ADS stream. All responses are ACKed.
func TestDeltaSubscriptions(t *testing.T) {
	g := grafttest.New(t, documents())
	names := func(s ...string) []string { return s }
	ask := func(want string, s ...string) deltaStep { return deltaStep{sub: s, want: want} }
	for _, c := range []struct {
		name, typeURL string
		steps         []deltaStep
	}{
		{"no names mean all listeners", snapshot.ListenerType, []deltaStep{ask("more web")}},
		{"no names mean all clusters", snapshot.ClusterType, []deltaStep{ask("app other")}},
		{"no names mean no routes", snapshot.RouteType, []deltaStep{ask("")}},
		{"no names mean no endpoints", snapshot.EndpointType, []deltaStep{ask("")}},
		{"no names mean no extensions", snapshot.ExtensionType, []deltaStep{ask("")}},
		{"asterisk", snapshot.ClusterType, []deltaStep{ask("app other", "*")}},
		{"asterisk for routes", snapshot.RouteType, []deltaStep{ask("more web", "*")}},
		{"some", snapshot.ListenerType, []deltaStep{ask("web", "web"), {edit: without}}},
		{"one by one", snapshot.RouteType, []deltaStep{ask("web", "web"), ask("more", "more")}},
		{"slot by slot", snapshot.ExtensionType, []deltaStep{ask("graft/web", "graft/web"), ask("graft/more", "graft/more")}},
		{
			"all, and one more by name", snapshot.ClusterType,
			[]deltaStep{ask("app other"), ask("app", "app"), {unsub: names("app"), want: "app"}, {edit: without, want: "-other"}},
		},
		{
			"some instead of all", snapshot.ClusterType,
			[]deltaStep{ask("app other"), {sub: names("app"), unsub: names("*"), want: "app"}, {edit: without}},
		},
		{
			"given up and asked for again", snapshot.EndpointType,
			[]deltaStep{ask("app", "app"), {unsub: names("app")}, {edit: moved}, ask("app", "app"), {unsub: names("app")}, ask("app", "app")},
		},
		{
			"slot given up and asked for again", snapshot.ExtensionType,
			[]deltaStep{ask("graft/web", "graft/web"), {unsub: names("graft/web")}, ask("graft/web", "graft/web")},
		},
		{"asked for twice", snapshot.ListenerType, []deltaStep{ask("web", "web"), ask("web", "web")}},
		{"slot asked for twice", snapshot.ExtensionType, []deltaStep{ask("graft/web", "graft/web"), ask("graft/web", "graft/web")}},
		{"missing listener", snapshot.ListenerType, []deltaStep{ask("-none", "none")}},
		{"missing route", snapshot.RouteType, []deltaStep{ask("web -none", "none", "web")}},
		{"missing cluster", snapshot.ClusterType, []deltaStep{ask("-none", "none")}},
		{"missing endpoints", snapshot.EndpointType, []deltaStep{ask("-none", "none")}},
		{"missing secret", snapshot.SecretType, []deltaStep{ask("-none", "none")}},
		{"a slot is never missing", snapshot.ExtensionType, []deltaStep{ask("none", "none")}},
		{"change", snapshot.EndpointType, []deltaStep{ask("app other", "app", "other"), {edit: moved, want: "app"}}},
		{"removal", snapshot.ListenerType, []deltaStep{ask("more web"), {edit: without, want: "-more"}, {edit: same, want: "more"}}},
		{
			"removal of what was named", snapshot.ClusterType,
			[]deltaStep{ask("other", "other"), {edit: without, want: "-other"}, {edit: same, want: "other"}},
		},
		{"what comes later", snapshot.RouteType, []deltaStep{{edit: without}, ask("-more", "more"), {edit: same, want: "more"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := openDelta(t, g, "edge-1")
			for _, step := range c.steps {
				if step.edit != nil {
					g.Write("edge.yaml", step.edit(edge))
					g.AwaitPublished()
				} else {
					d.ask(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: c.typeURL, ResourceNamesSubscribe: step.sub, ResourceNamesUnsubscribe: step.unsub})
				}
				if step.want != "" {
					if got := inDelta(d.take(c.typeURL)); got != step.want {
						t.Fatalf("got %q, want %q", got, step.want)
					}
				}
				d.silent()
			}
			g.Write("edge.yaml", edge)
			g.AwaitPublished()
		})
	}
}

// TestDeltaReconnect has clients that come back and tell what they have: they are sent what is new, and what is gone.
func TestDeltaReconnect(t *testing.T) {
	g := grafttest.New(t, documents())
	types := []string{snapshot.ClusterType, snapshot.EndpointType, snapshot.ListenerType, snapshot.RouteType, snapshot.ExtensionType}
	names := map[string][]string{
		snapshot.EndpointType: {"app", "other"}, snapshot.RouteType: {"more", "web"}, snapshot.ExtensionType: {"graft/more", "graft/web"},
	}
	has := map[string]map[string]string{}
	connect := func() *deltaStream {
		d := openDelta(t, g, "edge-1")
		for _, typeURL := range types {
			d.ask(&discoveryv3.DeltaDiscoveryRequest{
				TypeUrl: typeURL, ResourceNamesSubscribe: names[typeURL], InitialResourceVersions: has[typeURL],
			})
		}
		return d
	}
	d := connect()
	for range len(types) + 1 { // the slots come one by one
		response := d.receive()
		d.ack(response)
		for name, version := range versions(response) {
			if has[response.GetTypeUrl()] == nil {
				has[response.GetTypeUrl()] = map[string]string{}
			}
			has[response.GetTypeUrl()][name] = version
		}
	}
	d.silent()
	connect().silent()

	g.Kill()
	g.Start()
	connect().silent()

	g.Kill()
	g.Write("edge.yaml", moved(edge))
	g.Start()
	d = connect()
	if got := inDelta(d.take(snapshot.EndpointType)); got != "app" {
		t.Errorf("after an edit while graft was away: %q", got)
	}
	d.silent()

	has = map[string]map[string]string{snapshot.ClusterType: {"app": "older", "gone": "some"}}
	types = []string{snapshot.ClusterType}
	d = connect()
	if got := inDelta(d.take(snapshot.ClusterType)); got != "app other" {
		t.Errorf("what is new: %q", got)
	}
	if got := inDelta(d.take(snapshot.ClusterType)); got != "-gone" {
		t.Errorf("what is gone: %q", got)
	}
	d.silent()
}

// TestDeltaStrangeTypes asks for types that graft does not serve: nothing comes, and the stream goes on.
func TestDeltaStrangeTypes(t *testing.T) {
	g := grafttest.New(t, documents())
	d := openDelta(t, g, "edge-1")
	for _, typeURL := range []string{"type.googleapis.com/envoy.service.runtime.v3.Runtime", "type.googleapis.com/none", "none"} {
		d.ask(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURL, ResourceNamesSubscribe: []string{"*", "x"}})
		d.ask(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURL, ResourceNamesUnsubscribe: []string{"x"}})
		d.silent()
	}
	d.ask(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: snapshot.ListenerType})
	if got := inDelta(d.take(snapshot.ListenerType)); got != "more web" {
		t.Errorf("listeners: %q", got)
	}
	d.ask(&discoveryv3.DeltaDiscoveryRequest{})
	if err := d.failure(); status.Code(err) != codes.InvalidArgument {
		t.Errorf("a request without a type: %v", err)
	}
}
