package clients

import (
	"context"
	"testing"

	clusterservice "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	endpointservice "github.com/envoyproxy/go-control-plane/envoy/service/endpoint/v3"
	extensionservice "github.com/envoyproxy/go-control-plane/envoy/service/extension/v3"
	listenerservice "github.com/envoyproxy/go-control-plane/envoy/service/listener/v3"
	routeservice "github.com/envoyproxy/go-control-plane/envoy/service/route/v3"
	secretservice "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/test/grafttest"
)

type (
	deltaWire = wire[*discoveryv3.DeltaDiscoveryRequest, *discoveryv3.DeltaDiscoveryResponse]
	sotwWire  = wire[*discoveryv3.DiscoveryRequest, *discoveryv3.DiscoveryResponse]
)

// service is one of the services that serve one type.
type service struct {
	typeURL string
	names   []string
	want    string
	delta   func(context.Context, *grpc.ClientConn) (deltaWire, error)
	sotw    func(context.Context, *grpc.ClientConn) (sotwWire, error)
}

func services() []service {
	return []service{
		{
			snapshot.ListenerType, nil, "more web",
			func(ctx context.Context, c *grpc.ClientConn) (deltaWire, error) {
				return listenerservice.NewListenerDiscoveryServiceClient(c).DeltaListeners(ctx)
			},
			func(ctx context.Context, c *grpc.ClientConn) (sotwWire, error) {
				return listenerservice.NewListenerDiscoveryServiceClient(c).StreamListeners(ctx)
			},
		},
		{
			snapshot.RouteType,
			[]string{"web"},
			"web",
			func(ctx context.Context, c *grpc.ClientConn) (deltaWire, error) {
				return routeservice.NewRouteDiscoveryServiceClient(c).DeltaRoutes(ctx)
			},
			func(ctx context.Context, c *grpc.ClientConn) (sotwWire, error) {
				return routeservice.NewRouteDiscoveryServiceClient(c).StreamRoutes(ctx)
			},
		},
		{
			snapshot.ClusterType, nil, "app other",
			func(ctx context.Context, c *grpc.ClientConn) (deltaWire, error) {
				return clusterservice.NewClusterDiscoveryServiceClient(c).DeltaClusters(ctx)
			},
			func(ctx context.Context, c *grpc.ClientConn) (sotwWire, error) {
				return clusterservice.NewClusterDiscoveryServiceClient(c).StreamClusters(ctx)
			},
		},
		{
			snapshot.EndpointType,
			[]string{"app"},
			"app",
			func(ctx context.Context, c *grpc.ClientConn) (deltaWire, error) {
				return endpointservice.NewEndpointDiscoveryServiceClient(c).DeltaEndpoints(ctx)
			},
			func(ctx context.Context, c *grpc.ClientConn) (sotwWire, error) {
				return endpointservice.NewEndpointDiscoveryServiceClient(c).StreamEndpoints(ctx)
			},
		},
		{
			snapshot.SecretType,
			[]string{"word"},
			"word",
			func(ctx context.Context, c *grpc.ClientConn) (deltaWire, error) {
				return secretservice.NewSecretDiscoveryServiceClient(c).DeltaSecrets(ctx)
			},
			func(ctx context.Context, c *grpc.ClientConn) (sotwWire, error) {
				return secretservice.NewSecretDiscoveryServiceClient(c).StreamSecrets(ctx)
			},
		},
		{
			snapshot.ExtensionType,
			[]string{"graft/web"},
			"graft/web",
			func(ctx context.Context, c *grpc.ClientConn) (deltaWire, error) {
				return extensionservice.NewExtensionConfigDiscoveryServiceClient(c).DeltaExtensionConfigs(ctx)
			},
			func(ctx context.Context, c *grpc.ClientConn) (sotwWire, error) {
				return extensionservice.NewExtensionConfigDiscoveryServiceClient(c).StreamExtensionConfigs(ctx)
			},
		},
	}
}

// word is a secret, for edge.
const word = `  resources:
  - {"@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret, name: word, generic_secret: {secret: {inline_string: x}}}
`

// TestSeparateServices takes each type by the service that is for it alone, where requests need not say the type and must
// not say another.
func TestSeparateServices(t *testing.T) {
	documents := documents()
	documents["edge.yaml"] += word
	g := grafttest.New(t, documents)
	for _, c := range services() {
		name := c.typeURL[len("type.googleapis.com/"):]
		t.Run(name+" delta", func(t *testing.T) {
			ctx, conn := dial(t, g)
			w, err := c.delta(ctx, conn)
			d := &deltaStream{stream: read(t, w, err), node: "edge-1"}
			d.ask(&discoveryv3.DeltaDiscoveryRequest{ResourceNamesSubscribe: c.names})
			if got := inDelta(d.take(c.typeURL)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			d.ask(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: "type.googleapis.com/none", ResourceNamesSubscribe: []string{"x"}})
			if err := d.failure(); status.Code(err) != codes.InvalidArgument {
				t.Errorf("a request for another type: %v", err)
			}
		})
		t.Run(name+" state of the world", func(t *testing.T) {
			ctx, conn := dial(t, g)
			w, err := c.sotw(ctx, conn)
			s := &sotwStream{stream: read(t, w, err), node: "edge-1", version: map[string]string{}, nonce: map[string]string{}}
			s.request("", c.names, "", "")
			if got := inSotw(t, s.take(c.typeURL, c.names...)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			s.request("type.googleapis.com/none", []string{"x"}, "", "")
			if err := s.failure(); status.Code(err) != codes.InvalidArgument {
				t.Errorf("a request for another type: %v", err)
			}
		})
	}
}

// TestStreamForEachSlot has a proxy whose slots have sources of their own: it opens a stream for each, with the same node.
func TestStreamForEachSlot(t *testing.T) {
	g := grafttest.New(t, documents())
	var streams []*deltaStream
	for _, slot := range []string{"graft/web", "graft/more"} {
		ctx, conn := dial(t, g)
		w, err := extensionservice.NewExtensionConfigDiscoveryServiceClient(conn).DeltaExtensionConfigs(ctx)
		d := &deltaStream{stream: read(t, w, err), node: "edge-1"}
		d.ask(&discoveryv3.DeltaDiscoveryRequest{ResourceNamesSubscribe: []string{slot}})
		response := d.take(snapshot.ExtensionType)
		if got := inDelta(response); got != slot {
			t.Fatalf("got %q, want %q", got, slot)
		}
		carries(t, response, "first")
		streams = append(streams, d)
	}
	g.Write("f.yaml", script("f", "second"))
	for _, d := range streams {
		carries(t, d.take(snapshot.ExtensionType), "second")
		d.silent()
	}
	if s := g.AwaitAcked(); len(s.Proxies) != 1 {
		t.Errorf("%d proxies, want one", len(s.Proxies))
	}
}
