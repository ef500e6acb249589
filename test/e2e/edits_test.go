package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/test/envoytest"
	"github.com/graft-xds/graft/test/filters"
)

// proxyDocument is a listener with a route that the proxy answers itself, "hi", and one to an upstream, "app".
func proxyDocument(port int, upstream string) string {
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
    - {name: hi, path: /hi, response: {status: 200, body: "hi\n"}}
    - {name: app, prefix: /, cluster: app}
  clusters:
  - {name: app, endpoints: [%q]}
`, port, upstream)
}

// wasmFilter adds the response header `hello: <value>` by a module that lies beside the document.
func wasmFilter(name, module, value string, priority int) string {
	return fmt.Sprintf(`
apiVersion: graft.dev/v1alpha1
kind: Filter
metadata: {name: %s}
spec:
  wasm: {module: ./%s, config: %q}
  order: {priority: %d}
`, name, module, value, priority)
}

// luaFilter adds the response header `order: <value>`.
func luaFilter(name, value string, priority int, routes ...string) string {
	return fmt.Sprintf(`
apiVersion: graft.dev/v1alpha1
kind: Filter
metadata: {name: %s}
spec:
  lua:
    code: |
      function envoy_on_response(handle) handle:headers():add("order", %q) end
  order: {priority: %d}
  targets: [{routes: [%s]}]
`, name, value, priority, strings.Join(routes, ", "))
}

// nativeFilter adds the response header `native: <value>`.
func nativeFilter(name, value string) string {
	return fmt.Sprintf(`
apiVersion: graft.dev/v1alpha1
kind: Filter
metadata: {name: %s}
spec:
  native:
    "@type": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
    mutations: {response_mutations: [{append: {header: {key: native, value: %q}}}]}
`, name, value)
}

// edit is one save and what the next answers look like.
type edit struct {
	what   string
	change func(*graft)
	want   map[string]string // response header → all its values, joined by a comma; "" means absent
}

// edits is every kind of edit, one after another; each says what it leaves.
func edits(round int) []edit {
	v := func(s string) string { return fmt.Sprintf("%s%d", s, round) }
	write := func(name, text string) func(*graft) { return func(g *graft) { g.Write(name, text) } }
	return []edit{
		{"configuration", write("melon.yaml", wasmFilter("melon", "a.wasm", v("a"), 0)), map[string]string{"hello": v("a")}},
		{"add lua", write("x.yaml", luaFilter("x", v("x"), 5)), map[string]string{"hello": v("a"), "order": v("x")}},
		{"add a second", write("y.yaml", luaFilter("y", v("y"), 1)), map[string]string{"order": v("y") + "," + v("x")}},
		{"reorder", write("y.yaml", luaFilter("y", v("y"), 9)), map[string]string{"order": v("x") + "," + v("y")}},
		{"lua", write("x.yaml", luaFilter("x", v("z"), 5)), map[string]string{"order": v("z") + "," + v("y")}},
		{"module", func(g *graft) { g.WriteBytes("a.wasm", module(round)) }, map[string]string{"hello": v("a"), "order": v("z") + "," + v("y")}},
		{"add native", write("n.yaml", nativeFilter("n", v("n"))), map[string]string{"native": v("n")}},
		{"native", write("n.yaml", nativeFilter("n", v("m"))), map[string]string{"native": v("m")}},
		{"per route, elsewhere", write("x.yaml", luaFilter("x", v("z"), 5, "app")), map[string]string{"order": v("y")}},
		{"per route, here", write("x.yaml", luaFilter("x", v("r"), 5, "hi")), map[string]string{"order": v("r") + "," + v("y")}},
		{"every route again", write("x.yaml", luaFilter("x", v("r"), 5)), map[string]string{"order": v("r") + "," + v("y")}},
		{"remove", func(g *graft) { g.Remove("y.yaml") }, map[string]string{"order": v("r")}},
		{"remove native", func(g *graft) { g.Remove("n.yaml") }, map[string]string{"native": ""}},
		{"empty", func(g *graft) { g.Remove("x.yaml"); g.Remove("melon.yaml") }, map[string]string{"order": "", "hello": ""}},
		{"first again", write("melon.yaml", wasmFilter("melon", "a.wasm", v("end"), 0)), map[string]string{"hello": v("end")}},
	}
}

// module is the configurable module with other bytes for each round: a custom section at its end changes nothing but the
// digest.
func module(round int) []byte {
	name := fmt.Sprintf("round%03d", round)
	section := append([]byte{0, byte(len(name) + 1), byte(len(name))}, name...)
	return append(slices.Clone(filters.Configurable()), section...)
}

// is says whether an answer is 200 and has the wanted headers.
func (e edit) is(a envoytest.Answer) bool {
	if a.Err != nil || a.Status != 200 {
		return false
	}
	for name, want := range e.want {
		if strings.Join(a.Header.Values(name), ",") != want {
			return false
		}
	}
	return true
}

// TestEditsUnderLoad is the promise of graft: no failed request, no closed connection, no touched listener, and after
// each edit the new behaviour - with graft killed and started again between edits too.
func TestEditsUnderLoad(t *testing.T) {
	for _, c := range []struct {
		name, version, slots string
		rounds               int
	}{
		{"1.40 chain slot", "1.40", "", 4},
		{"1.40 declared slots", "1.40", "declared", 4},
		{"1.39 chain slot", "1.39", "", 1},
		{"1.37 declared slots", "1.37", "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			upstream := envoytest.StartUpstream(t)
			port := envoytest.Ports(t, 1)[0]
			g := newGraft(t, map[string]string{
				"proxy.yaml": proxyDocument(port, upstream.Address),
				"a.wasm":     string(module(99)),
				"melon.yaml": wasmFilter("melon", "a.wasm", "first", 0),
			})
			var args []string
			if c.slots != "" {
				args = []string{"--slots", c.slots}
			}
			envoy := g.Envoy(c.version, "edge-1", "edge", args...)
			g.AwaitAcked()
			url := fmt.Sprintf("http://127.0.0.1:%d/hi", port)
			one := envoytest.StartLoad(t, envoytest.LoadOptions{URL: url})
			two := envoytest.StartLoad(t, envoytest.LoadOptions{URL: url, HTTP2: true, Streams: 2})
			for round := range c.rounds {
				for i, e := range edits(round) {
					if i%5 == 4 {
						restart(t, g)
					}
					apply(t, g, e, one, two)
				}
			}
			for _, load := range []*envoytest.Load{one, two} {
				totals := load.Stop()
				t.Logf("%s", totals)
				if totals.Failures > 0 || totals.Closes > 0 {
					t.Errorf("failed requests or closed connections: %s %q", totals, totals.Errors)
				}
			}
			listeners, err := envoy.Listeners()
			if err != nil {
				t.Fatal(err)
			}
			if listeners.Modified != 0 || listeners.Rejected != 0 || listeners.Draining != 0 {
				t.Errorf("the listener was touched: %+v", listeners)
			}
		})
	}
}

// apply makes an edit and waits until both loads see what it brings.
func apply(t *testing.T, g *graft, e edit, loads ...*envoytest.Load) {
	t.Helper()
	var waits []func(context.Context) (envoytest.Answer, error)
	for _, load := range loads {
		waits = append(waits, load.Watch(e.is))
	}
	e.change(g)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, wait := range waits {
		if _, err := wait(ctx); err != nil {
			t.Fatalf("%s: the new behaviour %v did not come: %v\nstatus: %+v", e.what, e.want, err, g.Status())
		}
	}
}

// restart kills graft and starts it again; the proxy comes back, and is sent nothing, for it has everything.
func restart(t *testing.T, g *graft) {
	t.Helper()
	g.AwaitAcked()
	g.Kill()
	g.Start()
	g.AwaitStatus("the proxy is back", func(s plane.Status) error {
		if len(s.Proxies) != 1 || len(s.Proxies[0].Slots) == 0 {
			return fmt.Errorf("proxies: %+v", s.Proxies)
		}
		return nil
	})
	g.AwaitAcked()
	for name, value := range metrics(t, g, "graft_xds_pushes_total") {
		if value != 0 {
			t.Errorf("after a restart of graft the proxy was sent what it has: %s %v", name, value)
		}
	}
}
