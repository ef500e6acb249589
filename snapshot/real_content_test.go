package snapshot

import (
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/graft-xds/graft/test/envoytest"
	"github.com/graft-xds/graft/test/filters"
)

// realWorld is a Config for a real Envoy on one free port, and the modules it names.
type realWorld struct {
	t       *testing.T
	version string
	port    int
	modules map[string][]byte
	chains  bool
	routes  string // YAML
	result  *Result
	group   Group
}

func newRealWorld(t *testing.T, version string, chains bool) *realWorld {
	return &realWorld{
		t: t, version: version, chains: chains, port: envoytest.Ports(t, 1)[0],
		modules: map[string][]byte{"/configurable.wasm": filters.Configurable()},
		routes:  `[{prefix: /, response: {status: 200, body: ok}}]`,
	}
}

// build builds documents, with one Proxy that answers 200 everywhere.
func (w *realWorld) build(text string) *Resources {
	w.t.Helper()
	text += proxyYAML("edge", fmt.Sprintf(`listeners:
- name: web
  address: 127.0.0.1:%d
  slots: 6
  routes: %s`, w.port, w.routes))
	cfg, problems := Parse(parsedYAML(w.t, "in.yaml", text, nil), nil, nil)
	if len(problems) > 0 {
		w.t.Fatal(problemText(problems))
	}
	w.group = cfg.Place(Node{Traits: Traits{FilterChain: w.chains, Wasm: true, Extensions: true}}, nil, "")
	outcomes := map[Ref]Outcome{}
	for _, ref := range Wanted(cfg, Memory{}) {
		body := w.modules[ref.Location]
		outcomes[ref] = Outcome{Module: &Module{Digest: fmt.Sprintf("sha256:%x", sha256.Sum256(body)), Bytes: body}}
	}
	w.result = Build(Input{Config: cfg, Modules: outcomes, Groups: []Group{w.group}, Last: w.result})
	if len(w.result.Problems) > 0 {
		w.t.Fatal(problemText(w.result.Problems))
	}
	return w.result.Groups[w.group.Key]
}

// hello is a Wasm filter that answers with the header `hello: <name>`.
func hello(name, rest string) string {
	return filterYAML(name, fmt.Sprintf("wasm: {module: /configurable.wasm, config: %s}\n%s", name, rest))
}

// TestContentInEnvoy feeds one chain with a filter of each kind, and the same filters in declared slots.
func TestContentInEnvoy(t *testing.T) {
	for _, c := range []struct {
		version string
		chains  bool
	}{{"1.40", true}, {"1.40", false}, {"1.39", true}, {"1.37", false}} {
		t.Run(fmt.Sprintf("%s chains %v", c.version, c.chains), func(t *testing.T) {
			w := newRealWorld(t, c.version, c.chains)
			e := feed(t, c.version, w.build(
				hello("a", "order: {priority: 9}")+hello("b", "order: {priority: 8}")+mark("m", "")+
					filterYAML("size", `native: {"@type": type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer, maxRequestBytes: 9}`)))
			// On the way back the last filter comes first.
			if status, values := e.get(w.port, "/", "hello"); status != 200 || values != "b a" {
				t.Errorf("%d, hello: %s", status, values)
			}
			if _, values := e.get(w.port, "/", "x-met"); values != "m" {
				t.Errorf("x-met: %s", values)
			}
		})
	}
}

// TestAllowInEnvoy checks that a module may use the calls in allow and no other, and that its language still works.
func TestAllowInEnvoy(t *testing.T) {
	for _, version := range []string{"1.40", "1.37"} {
		t.Run(version, func(t *testing.T) {
			w := newRealWorld(t, version, version >= "1.39")
			allow := func(name, module, config, calls string) string {
				return filterYAML(name, fmt.Sprintf("wasm: {module: %s, config: %s, allow: [%s]}", module, config, calls))
			}
			const header, configuration = "proxy_add_header_map_value, proxy_replace_header_map_value, proxy_set_header_map_pairs", "proxy_get_buffer_bytes, proxy_log"
			text, want := allow("a", "/configurable.wasm", "a", header+", "+configuration)+
				allow("b", "/configurable.wasm", "b", configuration), "a"
			if version == "1.40" { // Go needs WASI; its module takes Envoy seconds
				multi, err := os.ReadFile(filters.Multi(t))
				if err != nil {
					t.Fatal(err)
				}
				w.modules["/multi.wasm"] = multi
				text += allow("c", "/multi.wasm", `{"response": {"headers": {"hello": "c"}}}`, header+", "+configuration)
				want = "c a"
			}
			e := feed(t, version, w.build(text))
			if status, values := e.get(w.port, "/", "hello"); status != 200 || values != want {
				t.Errorf("%d, hello: %s; want %s", status, values, want)
			}
		})
	}
}

// TestWalkInEnvoy takes a real Envoy along the plan of NextSlot from one order of filters to the next: at every step every
// filter that is in both answers.
func TestWalkInEnvoy(t *testing.T) {
	for _, version := range []string{"1.37", "1.40"} {
		t.Run(version, func(t *testing.T) {
			w := newRealWorld(t, version, false)
			var e *fed
			var have map[string]*Content
			var before []string
			for _, names := range []string{"a b c", "c b a", "x c a", "a b c d", "d c b a", ""} {
				var text strings.Builder
				after := strings.Fields(names)
				for i, name := range after {
					text.WriteString(hello(name, fmt.Sprintf("order: {priority: %d}", -i)))
				}
				resources := w.build(text.String())
				if e == nil {
					e, have = feed(t, version, resources), resources.Slots
				}
				for {
					slot, ok := NextSlot(have, resources.Slots)
					if !ok {
						break
					}
					have = replaced(have, slot, resources.Slots[slot])
					e.update(have[slot])
					_, values := e.get(w.port, "/", "hello")
					for _, name := range after {
						if slices.Contains(before, name) && !slices.Contains(strings.Fields(values), name) {
							t.Errorf("to %q: %s does not answer after the write of %s: %s", names, name, slot, values)
						}
					}
				}
				slices.Reverse(after)
				if _, values := e.get(w.port, "/", "hello"); values != strings.Join(after, " ") {
					t.Errorf("%q: hello: %s", names, values)
				}
				slices.Reverse(after)
				before = after
			}
		})
	}
}

func replaced(contents map[string]*Content, slot string, c *Content) map[string]*Content {
	out := make(map[string]*Content, len(contents))
	for name, content := range contents {
		out[name] = content
	}
	out[slot] = c
	return out
}

// update writes the file of a slot and waits until all workers have it.
func (f *fed) update(c *Content) {
	f.t.Helper()
	stat := "extension_config_discovery.http_filter." + c.Slot + ".config_reload"
	before, err := f.Stat(stat)
	if err != nil {
		f.t.Fatal(err)
	}
	f.slot(c)
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if now, err := f.Stat(stat); err == nil && now > before {
			return
		}
		select {
		case <-deadline:
			f.t.Fatalf("%s was not taken", c.Slot)
		case <-tick.C:
		}
	}
}
