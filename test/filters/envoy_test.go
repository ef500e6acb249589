package filters

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/graft-xds/graft/test/envoytest"
)

// plugin is a Wasm filter in YAML.
func plugin(name, code, config string) string {
	return fmt.Sprintf(`
          - name: %[1]s
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
              config:
                name: %[1]s
                configuration: {"@type": type.googleapis.com/google.protobuf.StringValue, value: '%[3]s'}
                vm_config: {runtime: envoy.wasm.runtime.v8, vm_id: %[1]s, code: {local: %[2]s}}`, name, code, config)
}

// bootstrap has one listener that answers by itself, behind some plugins.
func bootstrap(plugins ...string) string {
	return `
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
            virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, direct_response: {status: 200}}]}]
          http_filters:` + strings.Join(plugins, "") + `
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
`
}

func inline(module []byte) string {
	return fmt.Sprintf("{inline_bytes: %s}", base64.StdEncoding.EncodeToString(module))
}

func file(path string) string { return fmt.Sprintf("{filename: %q}", path) }

func TestModulesInEnvoy(t *testing.T) {
	e := envoytest.Start(t, envoytest.Options{Binary: envoytest.Binary(t, "1.40"), Bootstrap: bootstrap(
		plugin("melon", inline(Melon()), ""),
		plugin("cfg", inline(Configurable()), "lime"),
		plugin("multi", file(Multi(t)), `{"trapHeader":"x-multi","response":{"headers":{"hello":"multi"}}}`),
	)})
	address, err := e.ListenerAddress("web")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		header string // of the request
		status int
		hello  []string
	}{
		{"x-none", http.StatusOK, []string{"multi", "lime", "melon"}},
		{"x-multi", http.StatusServiceUnavailable, nil}, // a trap
	} {
		t.Run(c.header, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set(c.header, "1")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			if got := resp.Header.Values("hello"); resp.StatusCode != c.status || c.hello != nil && !slices.Equal(got, c.hello) {
				t.Errorf("%d, hello %q", resp.StatusCode, got)
			}
		})
	}
}

// A plugin that refuses its configuration keeps Envoy from starting with it.
func TestModulesRefuseConfigurations(t *testing.T) {
	binary := envoytest.Binary(t, "1.40")
	for name, p := range map[string]string{
		"cfg fails":       plugin("cfg", inline(Configurable()), "fail"),
		"cfg traps":       plugin("cfg", inline(Configurable()), "trap"),
		"multi fails":     plugin("multi", file(Multi(t)), `{"fail":true}`),
		"multi is strict": plugin("multi", file(Multi(t)), `{"misspelt":1}`),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			e, err := envoytest.Launch(ctx, envoytest.Options{Binary: binary, Bootstrap: bootstrap(p)})
			if err == nil {
				defer e.Kill()
				err = e.Ready(ctx)
			}
			if err == nil || !strings.Contains(err.Error(), "Unable to create Wasm plugin") {
				t.Errorf("want a refusal, got %v", err)
			}
		})
	}
}
