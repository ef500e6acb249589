package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/test/envoytest"
)

// wholeDocument is a Proxy of whole Envoy resources: a listener that names a slot itself, its routes and their cluster.
func wholeDocument(port int, upstream string) string {
	host, upstreamPort, _ := strings.Cut(upstream, ":")
	return fmt.Sprintf(`
apiVersion: graft.dev/v1alpha1
kind: Proxy
metadata: {name: edge}
spec:
  nodes: {cluster: edge}
  resources:
  - "@type": type.googleapis.com/envoy.config.listener.v3.Listener
    name: whole
    address: {socket_address: {address: 127.0.0.1, port_value: %d}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: whole
          rds: {route_config_name: whole-routes, config_source: {ads: {}, resource_api_version: V3}}
          http_filters:
          - name: graft/whole
            config_discovery:
              config_source: {ads: {}, resource_api_version: V3}
              type_urls: [type.googleapis.com/envoy.extensions.filters.http.filter_chain.v3.FilterChainConfig]
              default_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.filter_chain.v3.FilterChainConfig}
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  - "@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
    name: whole-routes
    virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: whole-cluster}}]}]
  - "@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
    name: whole-cluster
    load_assignment:
      cluster_name: whole-cluster
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %s, port_value: %s}}}}]}]
`, port, host, upstreamPort)
}

// TestWholeResources swaps filters in a listener that the user wrote as Envoy has it.
func TestWholeResources(t *testing.T) {
	port := envoytest.Ports(t, 1)[0]
	g := newGraft(t, map[string]string{
		"proxy.yaml": wholeDocument(port, namedUpstream(t, "a")), "a.wasm": string(module(0)),
		"melon.yaml": wasmFilter("melon", "a.wasm", "first", 0) + "  targets: [{listeners: [whole]}]\n",
	})
	envoy := g.Envoy("1.40", "edge-1", "edge")
	g.AwaitAcked()
	load := gentle(t, port)
	for i, e := range edits(0)[:8] { // the routes have no names, so there are no filters for some of them
		if i == 4 {
			restart(t, g)
		}
		apply(t, g, e, load)
	}
	other := strings.ReplaceAll(wholeDocument(port, namedUpstream(t, "b")), "whole-cluster", "other-cluster")
	wait := load.Watch(func(a envoytest.Answer) bool { return a.Header.Get("upstream") == "b" })
	g.Write("proxy.yaml", other)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := wait(ctx); err != nil {
		t.Fatalf("a route to another cluster: %v\n%+v", err, g.Status())
	}
	unharmed(t, load)
	untouched(t, envoy)
}

// TestAccessLog has the access log of a listener end each line with the revision that served the request, as status
// shows it.
func TestAccessLog(t *testing.T) {
	port := envoytest.Ports(t, 1)[0]
	path := filepath.Join(t.TempDir(), "access.log")
	document := strings.Replace(proxyDocument(port, "127.0.0.1:9"), "    routes:", "    accessLog: "+path+"\n    routes:", 1)
	g := newGraft(t, map[string]string{"proxy.yaml": document, "x.yaml": luaFilter("x", "one", 0)})
	startEnvoy(t, bootstrap(t, g), "--file-flush-interval-msec", "50")
	var revisions []string
	for _, value := range []string{"one", "two"} {
		g.Write("x.yaml", luaFilter("x", value, 0))
		envoytest.Eventually(t, patience, "the filter is in force", func() error {
			if got := get(t, fmt.Sprintf("http://127.0.0.1:%d/hi?%s", port, value)).Header.Get("order"); got != value {
				return fmt.Errorf("order: %q", got)
			}
			return nil
		})
		revision := running(g.AwaitAcked())
		if revision == "" || slices.Contains(revisions, revision) {
			t.Fatalf("revision %q after %q", revision, revisions)
		}
		revisions = append(revisions, revision)
		get(t, fmt.Sprintf("http://127.0.0.1:%d/hi?acked-%s", port, value))
		logged(t, path, "acked-"+value, revision)
	}
}

// running is the revision of the only slot.
func running(s plane.Status) string {
	if len(s.Proxies) != 1 || len(s.Proxies[0].Slots) != 1 {
		return ""
	}
	return s.Proxies[0].Slots[0].Running
}

// logged waits for the line of a request in an access log, which Envoy writes a while later, and looks at its end.
func logged(t *testing.T, path, request, revision string) {
	t.Helper()
	envoytest.Eventually(t, patience, "the access log", func() error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			if !strings.HasSuffix(line, "\n") || !strings.Contains(line, request) {
				continue
			}
			if fields := strings.Fields(line); strings.Trim(fields[len(fields)-1], `"`) != revision {
				t.Fatalf("status shows revision %s, the line is %s", revision, line)
			}
			return nil
		}
		return fmt.Errorf("no line for %s in %q", request, text)
	})
}
