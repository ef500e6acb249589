package e2e

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/test/envoytest"
	"github.com/graft-xds/graft/test/filters"
)

// badEdit is an edit that must not reach a proxy, or that a proxy refuses.
type badEdit struct {
	name   string
	file   string
	text   string
	setup  func(*graft)
	where  string // part of where the problem is
	what   string // part of what it says
	hint   string // part of how to mend it; only graft's own problems have one
	envoy  bool   // Envoy refuses it, not graft: the text is Envoy's
	filter string // of a refused filter
}

func badEdits() []badEdit {
	return []badEdit{
		{
			name: "YAML syntax", file: "melon.yaml", text: "kind: Filter\nmetadata: {name: melon\nspec: x\n",
			where: "melon.yaml:3:", what: `expected "," or "}"`, hint: "not closed",
		},
		{
			name: "unknown field", file: "melon.yaml", text: strings.ReplaceAll(wasmFilter("melon", "a.wasm", "bad", 0), "module:", "modul:"),
			where: "melon.yaml:6:10: Filter default/melon: spec.wasm", what: `unknown field "modul"`, hint: `"module"`,
		},
		{
			name: "wrong type", file: "melon.yaml", text: strings.ReplaceAll(wasmFilter("melon", "a.wasm", "bad", 0), "priority: 0", "priority: high"),
			where: "melon.yaml:7:21: Filter default/melon: spec.order.priority", what: "expected a whole number",
		},
		{
			name: "duplicate name", file: "second.yaml", text: wasmFilter("melon", "a.wasm", "second", 0),
			where: "second.yaml:", what: "melon",
		},
		{
			name: "missing module", file: "melon.yaml", text: wasmFilter("melon", "none.wasm", "bad", 0),
			where: "melon.yaml:6:", what: "none.wasm",
		},
		{
			name: "not a module", file: "melon.yaml", text: wasmFilter("melon", "text.wasm", "bad", 0),
			setup: func(g *graft) { g.Write("text.wasm", "this is text\n") }, where: "melon.yaml:6:", what: "not a",
		},
		{
			name: "no ABI", file: "melon.yaml", text: wasmFilter("melon", "empty.wasm", "bad", 0),
			setup: func(g *graft) { g.Write("empty.wasm", "\x00asm\x01\x00\x00\x00") }, where: "melon.yaml:6:", what: "proxy_abi_version",
		},
		{name: "unknown cluster", file: "proxy.yaml", text: "", where: "proxy.yaml:", what: "nowhere"},
		{
			name: "Lua error", file: "melon.yaml", text: strings.ReplaceAll(luaFilter("melon", "x", 0), `function envoy_on_response(`, `function envoy_on_response((`),
			envoy: true, what: "script load error", filter: "default/melon",
		},
		{
			name: "refused configuration", file: "melon.yaml", text: wasmFilter("melon", "a.wasm", "fail", 0),
			envoy: true, what: "Unable to create Wasm plugin", filter: "default/melon",
		},
		{
			name: "trap on configure", file: "melon.yaml", text: wasmFilter("melon", "a.wasm", "trap", 0),
			envoy: true, what: "Unable to create Wasm plugin", filter: "default/melon",
		},
	}
}

// TestBadEdits makes every sort of mistake under load: the error says where, what and how to mend it, traffic goes on with
// the last good, also after a restart of graft, a listener edit is still taken, and the next good edit lands.
func TestBadEdits(t *testing.T) {
	for _, c := range []struct{ name, version, slots string }{
		{"1.40 chain slot", "1.40", ""},
		{"1.40 declared slots", "1.40", "declared"},
		{"1.39 chain slot", "1.39", ""},
		{"1.37 declared slots", "1.37", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			upstream := envoytest.StartUpstream(t)
			ports := envoytest.Ports(t, 2)
			proxy := proxyDocument(ports[0], upstream.Address)
			good := wasmFilter("melon", "a.wasm", "good", 0)
			g := newGraft(t, map[string]string{
				"proxy.yaml": proxy, "a.wasm": string(filters.Configurable()), "melon.yaml": good,
			})
			var args []string
			if c.slots != "" {
				args = []string{"--slots", c.slots}
			}
			envoy := g.Envoy(c.version, "edge-1", "edge", args...)
			g.AwaitAcked()
			url := fmt.Sprintf("http://127.0.0.1:%d/hi", ports[0])
			load := envoytest.StartLoad(t, envoytest.LoadOptions{URL: url, Check: hello})
			for n, bad := range badEdits() {
				if bad.file == "proxy.yaml" {
					bad.text = strings.ReplaceAll(proxy, "cluster: app}", "cluster: nowhere}")
				}
				if bad.setup != nil {
					bad.setup(g)
				}
				g.Write(bad.file, bad.text)
				await(t, g, bad)
				restartRefused(t, g, bad)
				mend(t, g, bad, proxy, good, fmt.Sprintf("good%d", n), load)
			}
			editListenerWhileRefused(t, g, envoy, proxy, ports)
			if totals := load.Stop(); totals.Failures > 0 {
				t.Errorf("failed requests: %s", totals)
			}
		})
	}
}

// hello wants the header of the last good filter on every answer.
func hello(a envoytest.Answer) error {
	if got := a.Header.Get("hello"); !strings.HasPrefix(got, "good") {
		return fmt.Errorf("hello: %q", got)
	}
	return nil
}

// await waits until the status shows the mistake.
func await(t *testing.T, g *graft, bad badEdit) {
	t.Helper()
	g.AwaitStatus(bad.name+" is shown", func(s plane.Status) error {
		if bad.envoy {
			for _, f := range s.Filters {
				for _, r := range f.Refusals {
					if f.Name == bad.filter && f.Nacked == 1 && strings.Contains(r.Text, bad.what) {
						return nil
					}
				}
			}
			return fmt.Errorf("no refusal %q: %+v", bad.what, s.Filters)
		}
		for _, p := range s.Problems {
			if strings.Contains(p.Where, bad.where) && strings.Contains(p.What, bad.what) && strings.Contains(p.Hint, bad.hint) {
				return nil
			}
		}
		return fmt.Errorf("no problem at %q with %q and hint %q: %+v", bad.where, bad.what, bad.hint, s.Problems)
	})
}

// restartRefused restarts graft while the mistake stands. Envoy would take refused bytes that come a second time, and say
// so: neither the bytes nor a false "acked" may appear.
func restartRefused(t *testing.T, g *graft, bad badEdit) {
	t.Helper()
	g.Kill()
	g.Start()
	g.AwaitStatus("the proxy is back", func(s plane.Status) error {
		if len(s.Proxies) != 1 {
			return fmt.Errorf("%d proxies", len(s.Proxies))
		}
		return nil
	})
	await(t, g, bad)
}

// mend makes a good edit after the bad one and waits until it is in force.
func mend(t *testing.T, g *graft, bad badEdit, proxy, good, value string, load *envoytest.Load) {
	t.Helper()
	switch bad.file {
	case "proxy.yaml":
		g.Write(bad.file, proxy)
	case "second.yaml":
		g.Remove(bad.file)
	}
	wait := load.Watch(func(a envoytest.Answer) bool { return a.Err == nil && a.Header.Get("hello") == value })
	g.Write("melon.yaml", strings.ReplaceAll(good, `"good"`, fmt.Sprintf("%q", value)))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := wait(ctx); err != nil {
		t.Fatalf("after %s the next good edit did not land: %v\nstatus: %+v", bad.name, err, g.Status())
	}
	s := g.AwaitAcked()
	if len(s.Problems) > 0 {
		t.Errorf("after %s was mended: problems %+v", bad.name, s.Problems)
	}
}

// editListenerWhileRefused adds a listener while a chain stands refused, then one on a port that is taken.
func editListenerWhileRefused(t *testing.T, g *graft, envoy *envoytest.Envoy, proxy string, ports []int) {
	t.Helper()
	g.Write("melon.yaml", wasmFilter("melon", "a.wasm", "fail", 0))
	await(t, g, badEdit{name: "refused chain", envoy: true, what: "Unable to create Wasm plugin", filter: "default/melon"})
	more := fmt.Sprintf("  - name: more\n    address: 127.0.0.1:%d\n    routes: [{name: more, prefix: /, response: {status: 200}}]\n  clusters:", ports[1])
	taken, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", ports[1]))
	if err != nil {
		t.Fatal(err)
	}
	g.Write("proxy.yaml", strings.Replace(proxy, "  clusters:", more, 1))
	g.AwaitStatus("the taken port is shown", func(s plane.Status) error {
		for _, p := range s.Proxies {
			for _, r := range p.Refusals {
				if strings.Contains(r.Text, "Address already in use") || strings.Contains(r.Text, "cannot bind") {
					return nil
				}
			}
		}
		return fmt.Errorf("no refusal: %+v", s.Proxies)
	})
	_ = taken.Close()
	envoytest.Eventually(t, patience, "the listener opens once its port is free", func() error {
		_, err := envoy.ListenerAddress("more")
		return err
	})
}
