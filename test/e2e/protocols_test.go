package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/graft-xds/graft/test/envoytest"
	"github.com/graft-xds/graft/test/filters"
)

// startEnvoy starts an Envoy 1.40 with a bootstrap of the test's own.
func startEnvoy(t *testing.T, bootstrap string, args ...string) *envoytest.Envoy {
	t.Helper()
	return envoytest.Start(t, envoytest.Options{Binary: envoytest.Binary(t, "1.40"), Bootstrap: bootstrap, Args: args})
}

// bootstrap is what `graft bootstrap` prints for an Envoy of this graft.
func bootstrap(t *testing.T, g *graft, args ...string) string {
	t.Helper()
	text, code := g.Run(append([]string{"bootstrap", "--xds", g.XDS, "--node-id", "edge-1", "--node-cluster", "edge"}, args...)...)
	if code != 0 {
		t.Fatalf("graft bootstrap: %s", text)
	}
	return text
}

// gentle is a load that leaves the machine to others: it sees every answer, and does not measure.
func gentle(t *testing.T, port int) *envoytest.Load {
	t.Helper()
	return envoytest.StartLoad(t, envoytest.LoadOptions{
		URL: fmt.Sprintf("http://127.0.0.1:%d/hi", port), Connections: 4, Pause: patience / 10000,
	})
}

// unharmed ends a load that has to have seen neither a failure nor a close.
func unharmed(t *testing.T, load *envoytest.Load) {
	t.Helper()
	if totals := load.Stop(); totals.Failures > 0 || totals.Closes > 0 {
		t.Errorf("failed requests or closed connections: %s %q", totals, totals.Errors)
	}
}

// untouched wants listeners that no edit has touched.
func untouched(t *testing.T, envoy *envoytest.Envoy) {
	t.Helper()
	l, err := envoy.Listeners()
	if err != nil {
		t.Fatal(err)
	}
	if l.Modified != 0 || l.Removed != 0 || l.Draining != 0 || l.Rejected != 0 {
		t.Errorf("the listener was touched: %+v", l)
	}
}

// refuse makes an edit that Envoy refuses, and restarts graft upon it. What was refused is not sent again, for Envoy
// would accept it and run it no more than before; so it is neither counted as acked nor refused again and again.
func refuse(t *testing.T, g *graft) {
	t.Helper()
	bad := badEdit{name: "refused configuration", envoy: true, what: "Unable to create Wasm plugin", filter: "default/melon"}
	g.Write("melon.yaml", wasmFilter("melon", "a.wasm", "fail", 0))
	await(t, g, bad)
	settled(t, g)
	if refused := total(t, g, "graft_xds_nacks_total"); refused > 3 {
		t.Errorf("one bad edit was refused %v times", refused)
	}
	restartRefused(t, g, bad)
	settled(t, g)
	if refused := total(t, g, "graft_xds_nacks_total"); refused > 0 {
		t.Errorf("after a restart of graft the same edit was refused %v times", refused)
	}
}

// settled has edits go round that are nothing to the proxy, so that whatever a refusal makes happen has had its time, and
// looks at what the refused filter is counted as.
func settled(t *testing.T, g *graft) {
	t.Helper()
	for range 3 {
		g.AwaitPublished()
		for _, f := range g.Status().Filters {
			if f.Name == "default/melon" && (f.Acked != 0 || f.Nacked != 1) {
				t.Errorf("a refused filter counts as acked: %+v", f)
			}
		}
	}
	g.Remove("mark.yaml")
}

func total(t *testing.T, g *graft, metric string) (sum float64) {
	t.Helper()
	for _, value := range metrics(t, g, metric) {
		sum += value
	}
	return sum
}

// TestStateOfTheWorld has an Envoy that speaks state-of-the-world ADS: edits of every kind, graft killed and started
// again, and an edit that Envoy refuses. A server that sends all it has on each response would send the refused bytes
// again, and take Envoy's ACK of them for the truth.
func TestStateOfTheWorld(t *testing.T) {
	for _, slots := range []string{"chain", "declared"} {
		t.Run(slots, func(t *testing.T) {
			port := envoytest.Ports(t, 1)[0]
			g := newGraft(t, map[string]string{
				"proxy.yaml": proxyDocument(port, "127.0.0.1:9"), "a.wasm": string(module(99)),
				"melon.yaml": wasmFilter("melon", "a.wasm", "first", 0),
			})
			envoy := startEnvoy(t, strings.Replace(bootstrap(t, g, "--slots", slots), "api_type: DELTA_GRPC", "api_type: GRPC", 1))
			g.AwaitAcked()
			load := gentle(t, port)
			for i, e := range edits(0) {
				if i == 5 {
					restart(t, g)
				}
				apply(t, g, e, load)
			}
			g.AwaitAcked()
			refuse(t, g)
			apply(t, g, edits(1)[0], load)
			g.AwaitAcked()
			unharmed(t, load)
			untouched(t, envoy)
		})
	}
}

// TestOnlyFilters has an Envoy with a listener and routes of its own that takes nothing but its filters from graft.
func TestOnlyFilters(t *testing.T) {
	const own = "api_config_source: {api_type: %s, transport_api_version: V3, grpc_services: [{envoy_grpc: {cluster_name: graft-xds, " +
		"retry_policy: {retry_back_off: {base_interval: 0.1s, max_interval: 1s}}}}]}"
	for _, c := range []struct{ name, ads, source string }{
		{"on the ADS stream", fmt.Sprintf(own, "DELTA_GRPC"), "ads: {}"},
		{"on a stream of its own", "", fmt.Sprintf(own, "DELTA_GRPC")},
		{"on a stream of its own and state of the world", "", fmt.Sprintf(own, "GRPC")},
	} {
		t.Run(c.name, func(t *testing.T) {
			port := envoytest.Ports(t, 1)[0]
			g := newGraft(t, map[string]string{
				"a.wasm": string(filters.Configurable()), "melon.yaml": wasmFilter("melon", "a.wasm", "first", 0),
			})
			envoy := startEnvoy(t, ownListener(t, g.XDS, port, c.ads, c.source))
			g.AwaitAcked()
			load := gentle(t, port)
			for i, e := range edits(0)[:5] { // no routes of graft's, so no filters for routes
				if i == 3 {
					restart(t, g)
				}
				apply(t, g, e, load)
			}
			g.AwaitAcked()
			refuse(t, g)
			apply(t, g, edits(1)[0], load)
			g.AwaitAcked()
			unharmed(t, load)
			untouched(t, envoy)
		})
	}
}

// ownListener is a bootstrap with a listener that names graft's slot, on a stream of ads_config (if any) or as the config
// source says.
func ownListener(t *testing.T, xds string, port int, ads, source string) string {
	t.Helper()
	host, xdsPort, err := net.SplitHostPort(xds)
	if err != nil {
		t.Fatal(err)
	}
	if ads != "" {
		ads = "dynamic_resources: {ads_config: {" + strings.TrimPrefix(ads, "api_config_source: {") + "}"
	}
	return fmt.Sprintf(`
node: {id: edge-1, cluster: edge}
%s
static_resources:
  clusters:
  - name: graft-xds
    load_assignment:
      cluster_name: graft-xds
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %s, port_value: %s}}}}]}]
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}
  listeners:
  - name: mine
    address: {socket_address: {address: 127.0.0.1, port_value: %d}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: mine
          route_config:
            virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, direct_response: {status: 200}}]}]
          http_filters:
          - name: graft/web
            config_discovery:
              config_source: {%s, resource_api_version: V3}
              type_urls: [type.googleapis.com/envoy.extensions.filters.http.filter_chain.v3.FilterChainConfig]
              default_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.filter_chain.v3.FilterChainConfig}
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
`, ads, host, xdsPort, port, source)
}
