package snapshot

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// randomWorld makes a Config, groups and module outcomes of a few random choices: many small cases with much interplay.
type randomWorld struct {
	*rand.Rand
}

func (w *randomWorld) chance(one int) bool { return w.IntN(one) == 0 }

func (w *randomWorld) pick(choices ...string) string { return choices[w.IntN(len(choices))] }

func (w *randomWorld) config(t testing.TB) *Config {
	var text strings.Builder
	for i := range w.IntN(8) {
		text.WriteString(w.filter(i))
	}
	for i := range 1 + w.IntN(2) {
		fmt.Fprint(&text, proxyYAML(fmt.Sprintf("proxy-%d", i), fmt.Sprintf(
			"nodes: {%s}\nlisteners:\n- {name: l%d, address: \"0.0.0.0:1000%d\", slots: %d, routes: [{name: api, prefix: /api, response: {status: 200}}, {prefix: /, response: {status: 200}}]}",
			w.pick("", "cluster: edge", `id: "*-1"`), w.IntN(2), w.IntN(3), 1+w.IntN(5))))
	}
	cfg, _ := Parse(parsedYAML(t, "in.yaml", text.String(), map[string]File{"/a.wasm": {Stamp: "1"}, "/b.wasm": {Stamp: "2"}}), nil, nil)
	return cfg
}

func (w *randomWorld) filter(i int) string {
	spec := w.pick("wasm: {module: /a.wasm}", "wasm: {module: /b.wasm, onFailure: open, config: x}",
		`lua: {code: "function envoy_on_request(h) end"}`,
		`native: {"@type": type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer, maxRequestBytes: 9}`,
		`native: {"@type": type.googleapis.com/envoy.extensions.filters.http.json_to_metadata.v3.JsonToMetadata, requestRules: {rules: [{selectors: [{key: a}], onPresent: {metadataNamespace: a, key: b}}]}}`)
	if w.chance(3) {
		spec += "\ntargets: [" + w.pick("{routes: [api]}", "{listeners: [l0]}", "{nodes: {cluster: edge}}", "{ports: [10001]}", "{proxy: proxy-0}", "{listeners: [mesh]}") + "]"
	}
	if w.chance(2) {
		spec += fmt.Sprintf("\norder: {priority: %d}", w.IntN(5))
	}
	return filterYAML(fmt.Sprintf("f%d", i), spec)
}

func (w *randomWorld) groups(cfg *Config, last []Group) []Group {
	var groups []Group
	for i := range 4 {
		var foreign []string
		if w.chance(3) {
			foreign = []string{w.pick("graft/mesh", "own", "graft/mesh/1-of-3", "graft/l0")}
		}
		previous := ""
		if i < len(last) {
			previous = last[i].Key
		}
		node := Node{ID: fmt.Sprintf("n-%d", i%2), Cluster: w.pick("edge", "inner"), Traits: Traits{
			FilterChain: i < 2, Wasm: !w.chance(5), Extensions: true, Version: "1.40.0",
		}}
		group := cfg.Place(node, foreign, previous)
		if !slices.ContainsFunc(groups, func(g Group) bool { return g.Key == group.Key }) {
			groups = append(groups, group)
		}
	}
	return groups
}

func (w *randomWorld) outcomes(cfg *Config, last *Result) map[Ref]Outcome {
	memory := Memory{}
	if last != nil {
		memory = last.Memory
	}
	outcomes := map[Ref]Outcome{}
	for _, ref := range Wanted(cfg, memory) {
		module := &Module{Digest: "sha256:" + strings.Repeat("0", 63) + w.pick("1", "2"), Bytes: []byte("wasm")}
		if ref.SHA256 != "" {
			module.Digest = "sha256:" + ref.SHA256
		}
		switch w.IntN(4) {
		case 0: // on its way
		case 1:
			outcomes[ref] = Outcome{Err: &ModuleError{Code: "module", What: "broken"}}
		default:
			outcomes[ref] = Outcome{Module: module}
		}
	}
	return outcomes
}

// TestBuildProperties builds random edits one after the other, with a restart now and then, and checks of every Result:
// it is closed; the same input, also in another order, gives the same bytes; and what did not change is the same pointer.
func TestBuildProperties(t *testing.T) {
	for seed := range uint64(60) {
		w := &randomWorld{Rand: rand.New(rand.NewPCG(seed, 1))}
		var last *Result
		var groups []Group
		for range 5 {
			cfg := w.config(t)
			groups = w.groups(cfg, groups)
			in := Input{Config: cfg, Modules: w.outcomes(cfg, last), Groups: groups, Last: last, Options: Options{ModuleHost: "m", ModulePort: 1}}
			result := Build(in)
			checkClosed(t, groups, result)
			for _, p := range result.Problems {
				if p.Code == CodeInternal {
					t.Error(p)
				}
			}
			permuted := in
			permuted.Groups = slices.Clone(groups)
			slices.Reverse(permuted.Groups)
			if diff := cmp.Diff(wire(result), wire(Build(permuted))); diff != "" {
				t.Errorf("seed %d: the same input gave something else:\n%s", seed, diff)
			}
			again := in
			again.Last = result
			checkShared(t, result, Build(again))
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
			last = result
			if w.chance(4) {
				last = &Result{Memory: result.Memory}
			}
		}
	}
}

// wire is all of a Result that shows, as text.
func wire(r *Result) map[string]string {
	out := map[string]string{"problems": problemText(r.Problems), "statuses": fmt.Sprint(len(r.Statuses))}
	for _, s := range r.Statuses {
		out["status "+s.Key.String()] = fmt.Sprint(s.Hash, s.InForce, s.Waiting, s.Problems)
	}
	for group, resources := range r.Groups {
		for of, list := range resources.Types {
			for _, resource := range list {
				out[group+of+resource.Name] = resource.Version + string(resource.Body)
			}
		}
		for name, content := range resources.Slots {
			rendered := content.Render(Variant{})
			out[group+name] = fmt.Sprint(rendered.Version, content.Provisional, content.Uses, content.Fetches) + string(rendered.Body)
		}
	}
	return out
}

// checkShared checks that a Build without any change gives the very same resources.
func checkShared(t *testing.T, before, after *Result) {
	t.Helper()
	for group, resources := range after.Groups {
		for name, content := range resources.Slots {
			if before.Groups[group].Slots[name] != content {
				t.Errorf("slot %s is made anew", name)
			}
		}
		if before.Groups[group] != resources {
			t.Errorf("the resources are made anew")
		}
	}
	if diff := cmp.Diff(wire(before), wire(after)); diff != "" {
		t.Errorf("without any change:\n%s", diff)
	}
}
