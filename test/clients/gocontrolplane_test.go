package clients

import (
	"context"
	"strings"
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/client/sotw/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/test/grafttest"
)

// naming adds names to the requests of a stream: go-control-plane's client asks for everything, which there is of listeners
// and clusters only.
type naming struct {
	grpc.ClientStream
	names []string
}

// SendMsg implements grpc.ClientStream.
func (n *naming) SendMsg(m any) error {
	m.(*discoveryv3.DiscoveryRequest).ResourceNames = n.names
	return n.ClientStream.SendMsg(m)
}

// connectSotw connects go-control-plane's client, for some names. It gives what disconnects it.
func connectSotw(t *testing.T, g *grafttest.Graft, client sotw.ADSClient, names ...string) (disconnect func() error) {
	t.Helper()
	conn, err := grpc.NewClient(g.XDS, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithStreamInterceptor(
		func(ctx context.Context, d *grpc.StreamDesc, c *grpc.ClientConn, method string, streamer grpc.Streamer, o ...grpc.CallOption) (grpc.ClientStream, error) {
			s, err := streamer(ctx, d, c, method, o...)
			return &naming{s, names}, err
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := client.InitConnect(conn); err != nil {
		t.Fatal(err)
	}
	return conn.Close
}

// fetch waits for what go-control-plane's client gets next.
func fetch(t *testing.T, client sotw.ADSClient) *sotw.Response {
	t.Helper()
	response, err := client.Fetch()
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// patient is a context that ends when a test has waited long enough.
func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*grafttest.Patience)
	t.Cleanup(cancel)
	return ctx
}

// TestGoControlPlaneFilters has go-control-plane's client take filters, refuse one, and come back. The next thing that it
// fetches is always the next that it should have: nothing comes in between.
func TestGoControlPlaneFilters(t *testing.T) {
	g := grafttest.New(t, documents())
	client := sotw.NewADSClient(patient(t), envoyNode("gcp-1"), snapshot.ExtensionType)
	disconnect := connectSotw(t, g, client, "graft/web")
	next := func(comment string) {
		t.Helper()
		response := fetch(t, client)
		if len(response.Resources) != 1 {
			t.Fatalf("%d resources, want one", len(response.Resources))
		}
		if got := scripts(t, response.Resources[0]); len(got) != 1 || !strings.HasSuffix(got[0], "-- "+comment) {
			t.Fatalf("got %q, want %q", got, comment)
		}
	}
	say := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(comment string) { g.Write("f.yaml", script("f", comment)) }

	next("first")
	say(client.Ack())
	write("second")
	next("second")
	say(client.Nack("no second"))
	next("first") // the last good one, so that an Envoy takes listeners again
	say(client.Ack())
	g.AwaitStatus("the refusal is shown", func(s plane.Status) error { return refused(s, "no second") })
	write("third")
	next("third")
	say(client.Nack("no third"))
	next("first")
	say(client.Nack("nor that")) // nothing is left to be sent
	write("fourth")
	next("fourth")
	say(client.Ack())
	g.AwaitAcked()

	say(disconnect())
	connectSotw(t, g, client, "graft/web") // tells the version that it has
	write("fifth")
	next("fifth")
	say(client.Ack())
	g.AwaitAcked()
	g.Kill()
	g.Start()
	connectSotw(t, g, client, "graft/web")
	g.AwaitAcked()
	write("sixth")
	next("sixth")
	say(client.Ack())
	g.AwaitAcked()
}

// TestGoControlPlaneListeners has go-control-plane's client take all listeners and all clusters: every response is complete.
func TestGoControlPlaneListeners(t *testing.T) {
	g := grafttest.New(t, documents())
	for _, c := range []struct{ typeURL, all, fewer string }{
		{snapshot.ListenerType, "more web", "web"}, {snapshot.ClusterType, "app other", "app"},
	} {
		client := sotw.NewADSClient(patient(t), envoyNode("gcp-1"), c.typeURL)
		connectSotw(t, g, client)
		for _, step := range []struct {
			edit func(document string) string
			want string
		}{{same, c.all}, {without, c.fewer}, {same, c.all}} {
			g.Write("edge.yaml", step.edit(edge))
			response := &discoveryv3.DiscoveryResponse{Resources: fetch(t, client).Resources}
			if got := inSotw(t, response); got != step.want {
				t.Errorf("got %q, want %q", got, step.want)
			}
			if err := client.Ack(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
