package envoytest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// static is a bootstrap with one listener on a port of Envoy's choice and a route to an upstream.
func static(t *testing.T, upstream string) string {
	t.Helper()
	host, port, _ := strings.Cut(upstream, ":")
	return fmt.Sprintf(`
node: {id: static, cluster: static}
static_resources:
  listeners:
  - name: web
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: web
          route_config:
            name: web
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {prefix: /}
                route: {cluster: app}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  clusters:
  - name: app
    type: STATIC
    load_assignment:
      cluster_name: app
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: %s, port_value: %s}}}
`, host, port)
}

func TestEnvoy(t *testing.T) {
	u := StartUpstream(t)
	e := Start(t, Options{Binary: Binary(t, "1.40"), Bootstrap: static(t, u.Address)})
	address, err := e.ListenerAddress("web")
	if err != nil {
		t.Fatal(err)
	}

	t.Run("load", func(t *testing.T) {
		protocols(t, func(t *testing.T, http2 bool) {
			l := StartLoad(t, LoadOptions{URL: "http://" + address + "/hi", HTTP2: http2})
			after(t, l, 200)
			if got := l.Stop(); got.Failures != 0 || got.Dials != 8 || got.Closes != 0 {
				t.Errorf("%v %v", got, got.Errors)
			}
		})
	})

	t.Run("stats", func(t *testing.T) {
		n, err := e.Stat("http.web.downstream_rq_2xx")
		if err != nil || n < 400 {
			t.Errorf("%d, %v", n, err)
		}
		if n, err := e.Stat("no.such.stat"); n != 0 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		listeners, err := e.Listeners()
		if err != nil || (listeners != Listeners{Added: 1}) {
			t.Errorf("%+v, %v", listeners, err)
		}
		if slot, err := e.Slot("graft/web"); err != nil || (slot != Slot{}) {
			t.Errorf("%+v, %v", slot, err)
		}
	})

	t.Run("config dump", func(t *testing.T) {
		configs, err := e.ConfigDump("resource=static_listeners")
		if err != nil || len(configs) != 1 {
			t.Fatalf("%d configurations, %v", len(configs), err)
		}
		var listener struct{ Listener struct{ Name string } }
		if err := json.Unmarshal(configs[0], &listener); err != nil || listener.Listener.Name != "web" {
			t.Errorf("%+v, %v", listener, err)
		}
	})

	t.Run("log", func(t *testing.T) {
		if !strings.Contains(e.Log(), "starting main dispatch loop") {
			t.Errorf("%s", e.Log())
		}
	})
}

// A killed Envoy shows in the counts: nothing is hidden by a second try.
func TestLoadSeesEnvoyDie(t *testing.T) {
	u := StartUpstream(t)
	e := Start(t, Options{Binary: Binary(t, "1.40"), Bootstrap: static(t, u.Address)})
	address, err := e.ListenerAddress("web")
	if err != nil {
		t.Fatal(err)
	}
	l := StartLoad(t, LoadOptions{URL: "http://" + address, Connections: 4, Header: http.Header{"X-Case": {"die"}}})
	after(t, l, 20)
	e.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := l.Until(ctx, func(a Answer) bool { return a.Err != nil && strings.Contains(a.Err.Error(), "refused") }); err != nil {
		t.Fatal(err)
	}
	// The kernel may accept a connection for a process that is just dying, so there may be more than four.
	if got := l.Stop(); got.Closes < 4 || got.Closes != got.Dials || got.Failures < 4 {
		t.Errorf("%v", got)
	}
	if len(u.Saw("die")) < 20 {
		t.Errorf("the upstream saw %d requests", len(u.Saw("die")))
	}
}

func TestEnvoyThatCannotStart(t *testing.T) {
	binary := Binary(t, "1.40")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := Launch(ctx, Options{Binary: binary, Bootstrap: "static_resources: {listener: []}"})
	if err == nil || !strings.Contains(err.Error(), "'listener') has unknown fields") {
		t.Errorf("want Envoy's own text, got %v", err)
	}
	if ctx.Err() != nil {
		t.Error("the end of the process was not noticed")
	}
}
