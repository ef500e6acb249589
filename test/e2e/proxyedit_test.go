package e2e

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/graft-xds/graft/test/envoytest"
)

// namedUpstream answers everything with the header `upstream: <name>`, and returns its address.
func namedUpstream(t *testing.T, name string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("upstream", name) }))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// secureUpstream answers over TLS.
func secureUpstream(t *testing.T, a *authority) string {
	t.Helper()
	issued := a.Issue(1)
	pair, err := tls.X509KeyPair([]byte(issued.Cert), []byte(issued.Key))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// proxyEdit is one save of a Proxy document, and when it has arrived.
type proxyEdit struct {
	what     string
	routes   []string // in order, each a flow mapping
	clusters []string
	upstream string            // that answers the load then
	path     map[string]int    // statuses of other paths
	stats    map[string]string // of Envoy
}

func (e proxyEdit) document(port int) string {
	return fmt.Sprintf(`
apiVersion: graft.dev/v1alpha1
kind: Proxy
metadata: {name: edge}
spec:
  nodes: {cluster: edge}
  listeners:
  - name: web
    address: 127.0.0.1:%d
    routes:
    - %s
  clusters:
  - %s
`, port, strings.Join(e.routes, "\n    - "), strings.Join(e.clusters, "\n  - "))
}

func proxyEdits(a, b, secure string) []proxyEdit {
	const (
		toApp   = "{name: all, prefix: /, cluster: app}"
		toOther = "{name: all, prefix: /, cluster: other}"
		early   = "{name: early, path: /early, response: {status: 202}}"
	)
	app := func(address, more string) string { return fmt.Sprintf("{name: app, endpoints: [%q]%s}", address, more) }
	other := fmt.Sprintf("{name: other, endpoints: [%q]}", a)
	return []proxyEdit{
		{what: "begin", routes: []string{toApp}, clusters: []string{app(a, "")}, upstream: "a", path: map[string]int{"/early": 200}},
		{what: "add a route", routes: []string{early, toApp}, clusters: []string{app(a, "")}, upstream: "a", path: map[string]int{"/early": 202}},
		{what: "other endpoints", routes: []string{early, toApp}, clusters: []string{app(b, "")}, upstream: "b"},
		{
			what: "a cluster and the route to it", routes: []string{toOther}, clusters: []string{app(b, ""), other},
			upstream: "a", path: map[string]int{"/early": 200},
		},
		{
			what: "removed again", routes: []string{toApp}, clusters: []string{app(b, "")},
			upstream: "b", stats: map[string]string{"cluster_manager.cluster_removed": "1"},
		},
		{
			what: "one cluster for another", routes: []string{toOther}, clusters: []string{other},
			upstream: "a", stats: map[string]string{"cluster_manager.cluster_removed": "2"},
		},
		{
			what: "and back", routes: []string{toApp}, clusters: []string{app(b, "")},
			upstream: "b", stats: map[string]string{"cluster_manager.cluster_removed": "3"},
		},
		{
			// A changed cluster waits for its endpoints, which have not changed, and has to get them all the same.
			what: "a cluster's settings", routes: []string{toApp}, clusters: []string{app(b, ", connectTimeout: 4s")},
			upstream: "b", stats: map[string]string{"cluster_manager.cluster_modified": "1", "cluster_manager.warming_clusters": "0"},
		},
		{what: "its endpoints after that", routes: []string{toApp}, clusters: []string{app(a, ", connectTimeout: 4s")}, upstream: "a"},
		{
			// A cluster with a secret waits for it.
			what: "a cluster with TLS", routes: []string{"{name: secure, path: /secure, cluster: secure}", toApp},
			clusters: []string{app(b, ""), fmt.Sprintf("{name: secure, endpoints: [%q], tls: {caFile: ca.crt}}", secure)},
			upstream: "b", path: map[string]int{"/secure": 202},
		},
	}
}

// TestProxyEdits changes routes, clusters and endpoints under load. Whatever names something comes after what it names,
// and goes before it does: no request fails, and nothing is waited for in vain.
func TestProxyEdits(t *testing.T) {
	for _, c := range []struct{ name, protocol string }{{"delta", "DELTA_GRPC"}, {"state of the world", "GRPC"}} {
		t.Run(c.name, func(t *testing.T) {
			port := envoytest.Ports(t, 1)[0]
			a := newAuthority(t)
			edits := proxyEdits(namedUpstream(t, "a"), namedUpstream(t, "b"), secureUpstream(t, a))
			g := newGraft(t, map[string]string{
				"proxy.yaml": edits[0].document(port), "x.yaml": luaFilter("x", "filtered", 0), "ca.crt": a.PEM,
			})
			envoy := startEnvoy(t, strings.Replace(bootstrap(t, g), "api_type: DELTA_GRPC", "api_type: "+c.protocol, 1))
			g.AwaitAcked()
			load := envoytest.StartLoad(t, envoytest.LoadOptions{
				URL: fmt.Sprintf("http://127.0.0.1:%d/", port), Connections: 4, Pause: patience / 10000,
				Check: func(a envoytest.Answer) error {
					if a.Header.Get("order") != "filtered" {
						return fmt.Errorf("without the filter: %v", a.Header)
					}
					return nil
				},
			})
			for _, e := range edits {
				wait := load.Watch(func(a envoytest.Answer) bool { return a.Err == nil && a.Header.Get("upstream") == e.upstream })
				g.Write("proxy.yaml", e.document(port))
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				_, err := wait(ctx)
				cancel()
				if err != nil {
					t.Fatalf("%s: upstream %s does not answer: %v", e.what, e.upstream, err)
				}
				e.arrived(t, envoy, port)
			}
			unharmed(t, load)
			untouched(t, envoy)
		})
	}
}

// arrived waits until other paths and Envoy's stats are as they should be.
func (e proxyEdit) arrived(t *testing.T, envoy *envoytest.Envoy, port int) {
	t.Helper()
	envoytest.Eventually(t, patience, e.what, func() error {
		for path, want := range e.path {
			if a := get(t, fmt.Sprintf("http://127.0.0.1:%d%s", port, path)); a.Err != nil || a.Status != want {
				return errors.Join(a.Err, fmt.Errorf("%s: status %d, not %d", path, a.Status, want))
			}
		}
		for name, want := range e.stats {
			if got, err := envoy.TextStat(name); err != nil || got != want {
				return errors.Join(err, fmt.Errorf("%s is %q, not %q", name, got, want))
			}
		}
		return nil
	})
	waits, err := envoy.Stats(`init_fetch_timeout$`)
	if err != nil {
		t.Fatal(err)
	}
	for name, n := range waits {
		if n != "0" {
			t.Errorf("%s: %s is %s: Envoy waited for what it was not sent", e.what, name, n)
		}
	}
}
