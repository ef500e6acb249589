package clients

import (
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/test/grafttest"
)

// sotwStep is what a client wants from now on, or somebody writes, and what the client then gets.
type sotwStep struct {
	edit  func(document string) string // of edge
	names []string
	want  []string // the resources of each response
}

// nothing is a response without resources: it tells the version of the set that is left, and takes nothing away where a
// response need not be complete.
const nothing = ""

// TestSotwSubscriptions follows the xDS protocol on a state-of-the-world ADS stream: responses for listeners and clusters
// hold all that the client wants, those of the other types may hold what changed. All are ACKed.
func TestSotwSubscriptions(t *testing.T) {
	g := grafttest.New(t, documents())
	names := func(s ...string) []string { return s }
	for _, c := range []struct {
		name, typeURL string
		steps         []sotwStep
	}{
		{"no names mean all listeners", snapshot.ListenerType, []sotwStep{{want: names("more web")}}},
		{"no names mean all clusters", snapshot.ClusterType, []sotwStep{{want: names("app other")}}},
		{"no names mean no routes", snapshot.RouteType, []sotwStep{{}}},
		{"no names mean no endpoints", snapshot.EndpointType, []sotwStep{{}}},
		{"no names mean no extensions", snapshot.ExtensionType, []sotwStep{{}}},
		{"asterisk", snapshot.ClusterType, []sotwStep{{names: names("*"), want: names("app other")}}},
		{"asterisk for routes", snapshot.RouteType, []sotwStep{{names: names("*"), want: names("more web")}}},
		{"some", snapshot.ListenerType, []sotwStep{{names: names("web"), want: names("web")}, {edit: without, names: names("web")}}},
		{
			"one more listener", snapshot.ListenerType,
			[]sotwStep{{names: names("web"), want: names("web")}, {names: names("web", "more"), want: names("more web")}},
		},
		{
			"one more route", snapshot.RouteType,
			[]sotwStep{{names: names("web"), want: names("web")}, {names: names("web", "more"), want: names("more")}},
		},
		{
			"slot by slot", snapshot.ExtensionType,
			[]sotwStep{{names: names("graft/more", "graft/web"), want: names("graft/more", "graft/web")}},
		},
		{
			"given up and asked for again", snapshot.EndpointType,
			[]sotwStep{
				{names: names("app", "other"), want: names("app other")},
				{names: names("other"), want: names(nothing)},
				{edit: moved, names: names("other")},
				{names: names("app", "other"), want: names("app")},
			},
		},
		{
			"all given up", snapshot.EndpointType,
			[]sotwStep{{names: names("app"), want: names("app")}, {want: names(nothing)}, {edit: moved}, {names: names("app"), want: names("app")}},
		},
		{
			"all clusters given up", snapshot.ClusterType,
			[]sotwStep{{names: names("app"), want: names("app")}, {want: names(nothing)}, {edit: without}, {names: names("app"), want: names("app")}},
		},
		{
			"all slots given up", snapshot.ExtensionType,
			[]sotwStep{{names: names("graft/web"), want: names("graft/web")}, {want: names(nothing)}, {names: names("graft/web"), want: names("graft/web")}},
		},
		{"missing listener", snapshot.ListenerType, []sotwStep{{names: names("none", "web"), want: names("web")}}},
		{"missing route", snapshot.RouteType, []sotwStep{{names: names("none", "web"), want: names("web")}}},
		{"a slot is never missing", snapshot.ExtensionType, []sotwStep{{names: names("none"), want: names("none")}}},
		{
			"change of a listener", snapshot.ListenerType,
			[]sotwStep{{want: names("more web")}, {edit: renamed, want: names("more web")}},
		},
		{
			"change of endpoints", snapshot.EndpointType,
			[]sotwStep{{names: names("app", "other"), want: names("app other")}, {edit: moved, names: names("app", "other"), want: names("app")}},
		},
		{
			"removal", snapshot.ListenerType,
			[]sotwStep{{want: names("more web")}, {edit: without, want: names("web")}, {edit: same, want: names("more web")}},
		},
		{
			"what comes later", snapshot.RouteType,
			[]sotwStep{{edit: without}, {names: names("more")}, {edit: same, names: names("more"), want: names("more")}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openSotw(t, g, "edge-1")
			for _, step := range c.steps {
				if step.edit != nil {
					g.Write("edge.yaml", step.edit(edge))
					g.AwaitPublished()
				} else {
					s.ask(c.typeURL, step.names...)
				}
				for _, want := range step.want {
					if got := inSotw(t, s.take(c.typeURL, step.names...)); got != want {
						t.Fatalf("got %q, want %q", got, want)
					}
				}
				s.silent()
			}
			g.Write("edge.yaml", edge)
			g.AwaitPublished()
		})
	}
}

// TestSotwStaleNonce sends a request that answers another response than the last one: it is ignored, names and all. If it
// were not, the names of the next request would be new.
func TestSotwStaleNonce(t *testing.T) {
	g := grafttest.New(t, documents())
	s := openSotw(t, g, "edge-1")
	s.ask(snapshot.RouteType, "web")
	first := s.take(snapshot.RouteType, "web")
	s.ask(snapshot.RouteType, "web", "more")
	second := s.expect(snapshot.RouteType)
	if got := inSotw(t, second); got != "more" {
		t.Fatalf("got %q", got)
	}
	s.request(snapshot.RouteType, []string{"web"}, first.GetNonce(), "a refusal of what came before")
	s.version[snapshot.RouteType] = second.GetVersionInfo()
	s.ask(snapshot.RouteType, "web", "more")
	s.silent()
	for _, p := range g.Status().Proxies {
		if len(p.Refusals) > 0 {
			t.Errorf("the status has a refusal: %+v", p.Refusals)
		}
	}
}

// TestSotwStrangeTypes is TestDeltaStrangeTypes for this kind of stream.
func TestSotwStrangeTypes(t *testing.T) {
	g := grafttest.New(t, documents())
	s := openSotw(t, g, "edge-1")
	for _, typeURL := range []string{"type.googleapis.com/envoy.service.runtime.v3.Runtime", "type.googleapis.com/none", "none"} {
		s.ask(typeURL, "*", "x")
		s.ask(typeURL, "x")
		s.silent()
	}
	s.ask(snapshot.ListenerType)
	if got := inSotw(t, s.take(snapshot.ListenerType)); got != "more web" {
		t.Errorf("listeners: %q", got)
	}
	s.send(&discoveryv3.DiscoveryRequest{})
	if err := s.failure(); status.Code(err) != codes.InvalidArgument {
		t.Errorf("a request without a type: %v", err)
	}
}
