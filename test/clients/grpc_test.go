package clients

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/xds"

	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/test/envoytest"
	"github.com/graft-xds/graft/test/grafttest"
)

// proxyless is a Proxy document for gRPC's own client: an API listener for each name that clients dial. "hello" takes its
// routes from a whole resource, "web" from the listener of that name. The first and the second argument are endpoints of
// the clusters "a" and "b", the third is the cluster of the listener's route, the last of the whole resource.
const proxyless = `
apiVersion: graft.dev/v1alpha1
kind: Proxy
metadata: {name: edge}
spec:
  nodes: {cluster: edge}
  listeners:
  - name: web
    address: 127.0.0.1:10000
    routes: [{name: all, prefix: /, cluster: %[3]s}]
  clusters:
  - {name: a, endpoints: [%[1]q], http2: true}
  - {name: b, endpoints: [%[2]q], http2: true}
  resources:
  - "@type": type.googleapis.com/envoy.config.listener.v3.Listener
    name: hello
    api_listener:
      api_listener:
        "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
        stat_prefix: api
        rds: {route_config_name: hello-routes, config_source: {ads: {}, resource_api_version: V3}}
        http_filters:
        - name: router
          typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  - "@type": type.googleapis.com/envoy.config.listener.v3.Listener
    name: web-api
    api_listener:
      api_listener:
        "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
        stat_prefix: api
        rds: {route_config_name: web, config_source: {ads: {}, resource_api_version: V3}}
        http_filters:
        - name: router
          typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  - "@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
    name: hello-routes
    virtual_hosts:
    - name: all
      domains: ["*"]
      routes:
      - match: {prefix: /grpc.health.v1.Health/}
        route: {cluster: %[4]s}
`

// startBackend is a gRPC server that says that it is well.
func startBackend(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	healthv1.RegisterHealthServer(server, health.NewServer())
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := server.Serve(l); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { server.Stop(); <-served })
	return l.Addr().String()
}

// dialXDS connects by gRPC's own xDS client.
func dialXDS(t *testing.T, g *grafttest.Graft, target string) healthv1.HealthClient {
	t.Helper()
	resolver, err := xds.NewXDSResolverWithConfigForTesting(fmt.Appendf(nil, `{
		"xds_servers": [{"server_uri": %q, "channel_creds": [{"type": "insecure"}], "server_features": ["xds_v3"]}],
		"node": {"id": "grpc-1", "cluster": "edge"}
	}`, g.XDS))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient(target, grpc.WithResolvers(resolver), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return healthv1.NewHealthClient(conn)
}

// betweenClusters is what gRPC 1.85 says of an RPC that was given to a cluster which its balancer does not know yet: for a
// moment new routes choose among old clusters (ClientConn.updateResolverStateAndUnlock). No server can help that.
const betweenClusters = "unknown cluster selected for RPC"

// answers waits until RPCs are answered by a backend. None may fail before: there is always one that answers.
func answers(t *testing.T, client healthv1.HealthClient, backend string) {
	t.Helper()
	envoytest.Eventually(t, grafttest.Patience, "answered by "+backend, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), grafttest.Patience)
		defer cancel()
		var by peer.Peer
		if _, err := client.Check(ctx, &healthv1.HealthCheckRequest{}, grpc.Peer(&by)); err != nil {
			if strings.Contains(err.Error(), betweenClusters) {
				return err
			}
			t.Fatalf("an RPC failed: %v", err)
		}
		if got := by.Addr.String(); got != backend {
			return fmt.Errorf("answered by %s", got)
		}
		return nil
	})
}

// TestGRPC serves gRPC's own xDS client (xds:///name, without an Envoy): listeners, routes, clusters and endpoints. RPCs
// follow each edit and none fails, while graft is away neither.
func TestGRPC(t *testing.T) {
	one, two := startBackend(t), startBackend(t)
	document := func(a, b, web, hello string) string { return fmt.Sprintf(proxyless, a, b, web, hello) }
	g := grafttest.New(t, map[string]string{"edge.yaml": document(one, two, "a", "a")})
	for _, c := range []struct {
		target string
		write  func(a, b, cluster string)
	}{
		{"xds:///hello", func(a, b, cluster string) { g.Write("edge.yaml", document(a, b, "a", cluster)) }},
		{"xds:///web-api", func(a, b, cluster string) { g.Write("edge.yaml", document(a, b, cluster, "a")) }},
	} {
		t.Run(strings.TrimPrefix(c.target, "xds:///"), func(t *testing.T) {
			c.write(one, two, "a")
			g.AwaitPublished()
			client := dialXDS(t, g, c.target)
			answers(t, client, one)
			c.write(two, one, "a") // endpoints
			answers(t, client, two)
			c.write(two, one, "b") // route
			answers(t, client, one)
			g.Kill()
			answers(t, client, one)
			g.Start()
			c.write(two, one, "a")
			answers(t, client, two)
		})
	}
}

// TestGRPCMissing dials a name that nothing is known of yet. The RPC waits for it.
func TestGRPCMissing(t *testing.T) {
	backend := startBackend(t)
	document := fmt.Sprintf(proxyless, backend, backend, "a", "a")
	g := grafttest.New(t, map[string]string{"edge.yaml": strings.ReplaceAll(document, "name: hello\n", "name: other\n")})
	client := dialXDS(t, g, "xds:///hello")
	answer := make(chan error)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), grafttest.Patience)
		defer cancel()
		_, err := client.Check(ctx, &healthv1.HealthCheckRequest{}, grpc.WaitForReady(true))
		answer <- err
	}()
	g.AwaitStatus("the client has come", func(s plane.Status) error {
		if len(s.Proxies) == 0 {
			return errors.New("no proxy")
		}
		return nil
	})
	select {
	case err := <-answer:
		t.Fatalf("an answer from nowhere: %v", err)
	default:
	}
	g.Write("edge.yaml", document)
	if err := <-answer; err != nil {
		t.Error(err)
	}
}
