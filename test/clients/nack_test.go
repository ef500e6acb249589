package clients

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"

	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/test/grafttest"
)

// carries checks which of the comments of script are in the only resource of a response, and gives its version.
func carries(t *testing.T, response *discoveryv3.DeltaDiscoveryResponse, comment string) string {
	t.Helper()
	if len(response.GetResources()) != 1 {
		t.Fatalf("got %q, want one slot", inDelta(response))
	}
	resource := response.GetResources()[0]
	if got := scripts(t, resource.GetResource()); len(got) != 1 || !strings.HasSuffix(got[0], "-- "+comment) {
		t.Fatalf("got %q with %q, want %q", resource.GetName(), got, comment)
	}
	return resource.GetVersion()
}

// TestDeltaNack refuses a filter. What was refused never comes again, not on a new stream and not from a new graft; the
// last good chain comes at once, under another version, and the next good edit comes.
func TestDeltaNack(t *testing.T) {
	g := grafttest.New(t, documents())
	slot := []string{"graft/web"}
	var d *deltaStream
	connect := func(version string) *deltaStream { // again
		has := map[string]string{}
		if version != "" {
			has["graft/web"] = version
		}
		_ = d.close()
		d = openDelta(t, g, "edge-1")
		d.ask(&discoveryv3.DeltaDiscoveryRequest{
			TypeUrl: snapshot.ExtensionType, ResourceNamesSubscribe: slot, InitialResourceVersions: has,
		})
		return d
	}
	d = openDelta(t, g, "edge-1")
	d.ask(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: snapshot.ExtensionType, ResourceNamesSubscribe: slot})
	first := carries(t, d.take(snapshot.ExtensionType), "first")

	g.Write("f.yaml", script("f", "second"))
	response := d.receive()
	carries(t, response, "second")
	d.nack(response, "no second")
	good := carries(t, d.take(snapshot.ExtensionType), "first")
	if good == first {
		t.Errorf("the last good chain came under the version that the client has, %s", first)
	}
	d.silent()
	g.AwaitStatus("the refusal is shown", func(s plane.Status) error { return refused(s, "no second") })

	connect(good).silent()
	g.Kill()
	g.Start()
	connect(good).silent()
	g.AwaitStatus("the refusal is shown", func(s plane.Status) error { return refused(s, "no second") })

	connect("") // a proxy that has lost what it had
	if again := carries(t, d.take(snapshot.ExtensionType), "first"); again == first || again == good {
		t.Errorf("the last good chain came again under the version %s", again)
	}
	d.silent()

	g.Write("f.yaml", script("f", "third"))
	third := carries(t, d.take(snapshot.ExtensionType), "third")
	d.silent()
	connect(third).silent()
	g.AwaitAcked()
}

func refused(s plane.Status, text string) error {
	for _, f := range s.Filters {
		if slices.ContainsFunc(f.Refusals, func(r plane.Refusal) bool { return strings.Contains(r.Text, text) }) && f.Acked == 0 {
			return nil
		}
	}
	return fmt.Errorf("no refusal %q: %+v", text, s.Filters)
}

// TestDeltaNackOfRoutes refuses a resource of a type where Envoy says so every time: it comes again only once it is
// another one.
func TestDeltaNackOfRoutes(t *testing.T) {
	g := grafttest.New(t, documents())
	d := openDelta(t, g, "edge-1")
	d.ask(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: snapshot.RouteType, ResourceNamesSubscribe: []string{"more", "web"}})
	before := versions(d.take(snapshot.RouteType))
	d.silent()

	edit := func(prefix string) {
		g.Write("edge.yaml", strings.Replace(edge, "prefix: /,", "prefix: "+prefix+",", 1))
		g.AwaitPublished()
	}
	edit("/a")
	response := d.receive()
	if got := inDelta(response); got != "web" {
		t.Fatalf("got %q, want %q", got, "web")
	}
	d.nack(response, "no")
	d.silent()
	edit("/")
	d.silent() // that is what it has
	edit("/b")
	if got := inDelta(d.take(snapshot.RouteType)); got != "web" {
		t.Fatalf("got %q, want %q", got, "web")
	}
	edit("/")
	if after := versions(d.take(snapshot.RouteType)); after["web"] != before["web"] {
		t.Errorf("the same routes under the versions %s and %s", before["web"], after["web"])
	}
	d.silent()
}

// TestDeltaStaleNonce answers a response that never was: that counts for nothing, but names in the request do, as a delta
// request changes what it does not repeat.
func TestDeltaStaleNonce(t *testing.T) {
	g := grafttest.New(t, documents())
	d := openDelta(t, g, "edge-1")
	d.ask(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: snapshot.ExtensionType, ResourceNamesSubscribe: []string{"graft/web"}})
	response := d.receive()
	d.ask(&discoveryv3.DeltaDiscoveryRequest{
		TypeUrl: snapshot.ExtensionType, ResponseNonce: response.GetNonce() + "0", ErrorDetail: &rpcstatus.Status{Message: "no"},
		ResourceNamesSubscribe: []string{"graft/more"},
	})
	d.ack(response)
	if got := inDelta(d.take(snapshot.ExtensionType)); got != "graft/more" {
		t.Errorf("got %q, want %q", got, "graft/more")
	}
	d.silent()
	g.AwaitAcked()
}
