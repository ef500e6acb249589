package snapshot

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/encoding/protojson"
)

// TestEnvoyRoutes sends requests through a real Envoy and looks where they end, so that a route means what the schema says.
func TestEnvoyRoutes(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", r.Host, r.RequestURI)
	}))
	defer upstream.Close()
	_, port, _ := net.SplitHostPort(upstream.Listener.Addr().String())
	config := parse(t, proxyYAML("edge", `
listeners:
- name: web
  address: 127.0.0.1:1
  routes:
  - {prefix: /only, hosts: ["*.example.com"], response: {status: 200, body: wild}}
  - {prefix: /only, hosts: [b.example.com, example.org], response: {status: 200, body: exact}}
  - {prefix: /api, cluster: app, rewrite: /}
  - {prefix: /deep, cluster: app, rewrite: /a/b}
  - {prefix: /dir/, cluster: app, rewrite: /folder}
  - {prefix: /quoted.+, cluster: app, rewrite: /}
  - {path: /one, cluster: app, rewrite: /other, hostRewrite: new.example.com}
  - {regex: '/v[0-9]+/x', methods: [GET, HEAD], cluster: app, rewrite: /versioned}
  - {path: /posted, methods: [POST], response: {status: 202}}
  - {path: /old, redirect: {status: 308, https: true, host: www.example.com, path: /new}}
  - {path: /large, response: {status: 200, body: "`+strings.Repeat("x", 5000)+`"}}
clusters:
- {name: app, endpoints: ["localhost:`+port+`"]}`), nil)
	for version, envoy := range envoys(t) {
		t.Run(version, func(t *testing.T) {
			web := startEnvoy(t, envoy, proxyResources(config.Proxies[0], false))
			for _, c := range []struct{ method, host, path, want string }{
				{"GET", "h", "/api", "200 h /"},
				{"GET", "h", "/api/", "200 h /"},
				{"GET", "h", "/api/x/y?q=1", "200 h /x/y?q=1"},
				{"GET", "h", "/apis", "404 "},
				{"GET", "h", "/deep", "200 h /a/b"},
				{"GET", "h", "/deep/x", "200 h /a/b/x"},
				{"GET", "h", "/dir/x", "200 h /folder/x"},
				{"GET", "h", "/dir", "404 "},
				{"GET", "h", "/quoted.+/x", "200 h /x"},
				{"GET", "h", "/quotedxx/x", "404 "},
				{"GET", "h", "/one?q=1", "200 new.example.com /other?q=1"},
				{"GET", "h", "/one/x", "404 "},
				{"GET", "h", "/v12/x", "200 h /versioned"},
				{"GET", "h", "/v12/xx", "404 "},
				{"POST", "h", "/v12/x", "404 "},
				{"POST", "h", "/posted", "202 "},
				{"GET", "h", "/posted", "404 "},
				{"GET", "h", "/old", "308 https://www.example.com/new"},
				{"GET", "h", "/large", "200 " + strings.Repeat("x", 5000)},
				{"GET", "a.example.com", "/only", "200 wild"},
				{"GET", "A.Example.com:8443", "/only", "200 wild"},
				{"GET", "b.example.com", "/only", "200 wild"}, // the first that matches, although the second is exact
				{"GET", "example.org", "/only", "200 exact"},
				{"GET", "example.com", "/only", "404 "},
				{"GET", "b.example.com", "/api/x", "200 b.example.com /x"},
			} {
				if got := ask(t, c.method, web+c.path, c.host); got != c.want {
					t.Errorf("%s %s%s: %.80s, want %.80s", c.method, c.host, c.path, got, c.want)
				}
			}
		})
	}
}

// startEnvoy runs an Envoy with the routes among the resources on a port of their own, and gives its URL.
func startEnvoy(t *testing.T, envoy string, resources []*Resource) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	bootstrap := staticBootstrap(t, resources)
	var routes []*listenerv3.Listener
	for _, l := range bootstrap.GetStaticResources().GetListeners() {
		if strings.HasPrefix(l.GetName(), "routes of ") {
			l.Address = tcpAddress("127.0.0.1", uint32(netip.MustParseAddrPort(address).Port()))
			routes = append(routes, l)
		}
	}
	bootstrap.StaticResources.Listeners, bootstrap.DynamicResources = routes, nil
	text, err := protojson.Marshal(bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bootstrap.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), envoy, "-c", path, "--disable-hot-restart", "-l", "error", "--concurrency", "1")
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	deadline, tick := time.After(20*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		if connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address); err == nil {
			_ = connection.Close()
			return "http://" + address
		}
		select {
		case <-deadline:
			t.Fatal("Envoy does not listen")
		case <-tick.C:
		}
	}
}

// ask gives the status and the body of an answer, or where it sends the client.
func ask(t *testing.T, method, url, host string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %s%s", response.StatusCode, response.Header.Get("Location"), body)
}
