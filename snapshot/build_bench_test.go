package snapshot

import (
	"fmt"
	"testing"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// benchInput is n filters, a third of them Wasm, for one listener of each of the groups.
func benchInput(n, groups int) Input {
	cfg := &Config{Selection: "s"}
	modules := map[Ref]Outcome{}
	for i := range n {
		cfg.Filters = append(cfg.Filters, benchFilter(i, 0))
		if w := cfg.Filters[i].Wasm; w != nil {
			modules[w.Module] = Outcome{Module: &Module{Digest: fmt.Sprintf("sha256:%064x", i), Bytes: []byte("wasm")}}
		}
	}
	cfg.Proxies = []*Proxy{{Key: Key{kindProxy, "default", "edge"}, Hash: "p", Spec: &graftv1alpha1.ProxySpec{
		Listeners: []*graftv1alpha1.Listener{{Name: "web", Address: "0.0.0.0:10000", Slots: 8, OnMissing: "deny"}},
	}}}
	for i := range groups {
		cfg.Filters[0].Targets = append(cfg.Filters[0].Targets, Target{Nodes: &graftv1alpha1.NodeSelector{Id: fmt.Sprintf("node-%d", i)}})
	}
	in := Input{Config: cfg, Modules: modules}
	for i := range groups {
		in.Groups = append(in.Groups, cfg.Place(Node{ID: fmt.Sprintf("node-%d", i), Traits: Traits{FilterChain: true, Wasm: true, Extensions: true}}, nil, ""))
	}
	return in
}

func benchFilter(i, edit int) *Filter {
	key := Key{kindFilter, "default", fmt.Sprintf("f%04d", i)}
	f := &Filter{
		Key: key, Origin: func(string) Origin { return Origin{} }, Hash: fmt.Sprintf("%032d", i*1000+edit),
		Targets: []Target{{}}, Lua: fmt.Sprint("-- ", i, edit),
	}
	if i%3 == 0 {
		f.Lua, f.Wasm = "", &Wasm{Module: Ref{Location: fmt.Sprintf("/%d.wasm", i)}, Config: fmt.Append(nil, edit), OnFailure: "reload"}
	}
	return f
}

func BenchmarkBuild(b *testing.B) {
	for _, filters := range []int{10, 100, 1000} {
		for _, groups := range []int{1, 100} {
			in := benchInput(filters, groups)
			b.Run(fmt.Sprintf("first/filters=%d/groups=%d", filters, groups), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					Build(in)
				}
			})
			b.Run(fmt.Sprintf("edit/filters=%d/groups=%d", filters, groups), func(b *testing.B) {
				b.ReportAllocs()
				last := Build(in)
				for edit := 1; b.Loop(); edit++ {
					next := in
					next.Config = &Config{Filters: append([]*Filter(nil), in.Config.Filters...), Proxies: in.Config.Proxies, Selection: "s"}
					next.Config.Filters[filters-1] = benchFilter(filters-1, edit)
					next.Last = last
					last = Build(next)
				}
			})
		}
	}
}

func BenchmarkPlace(b *testing.B) {
	in := benchInput(1000, 100)
	node := Node{ID: "node-50", Cluster: "edge"}
	for b.Loop() {
		in.Config.Place(node, nil, "")
	}
}
