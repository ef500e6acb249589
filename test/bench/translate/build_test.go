package translate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
	"github.com/graft-xds/graft/snapshot"
)

// world is so many filters for so many groups: the proxies of each cluster are a group, every second filter is for all of
// them, the others for one cluster each.
type world struct {
	filters, groups int
	documents       []snapshot.Document
	modules         map[snapshot.Ref]snapshot.Outcome
}

func newWorld(filters, groups int) *world {
	w := &world{filters: filters, groups: groups, modules: map[snapshot.Ref]snapshot.Outcome{}}
	module := &snapshot.Module{Bytes: make([]byte, 1<<10), ABI: "0.2.1"}
	sum := sha256.Sum256(module.Bytes)
	module.Digest = "sha256:" + hex.EncodeToString(sum[:])
	w.modules[snapshot.Ref{Location: "/module.wasm", Stamp: "1"}] = snapshot.Outcome{Module: module}

	w.documents = append(w.documents, snapshot.Document{
		Key: snapshot.Key{Kind: "Proxy", Namespace: "default", Name: "edge"},
		Proxy: &graftv1alpha1.Proxy{Metadata: &graftv1alpha1.ObjectMeta{Name: "edge"}, Spec: &graftv1alpha1.ProxySpec{
			Listeners: []*graftv1alpha1.Listener{{Name: "web", Address: "127.0.0.1:10000"}},
		}},
	})
	for i := range filters {
		w.documents = append(w.documents, w.filter(i, "first"))
	}
	return w
}

func (w *world) filter(i int, config string) snapshot.Document {
	target := &graftv1alpha1.Target{}
	if i%2 == 1 {
		target.Nodes = &graftv1alpha1.NodeSelector{Cluster: cluster(i / 2 % w.groups)}
	}
	name := fmt.Sprintf("filter-%d", i)
	return snapshot.Document{
		Key:   snapshot.Key{Kind: "Filter", Namespace: "default", Name: name},
		Files: map[string]snapshot.File{"/module.wasm": {Stamp: "1"}},
		Filter: &graftv1alpha1.Filter{Metadata: &graftv1alpha1.ObjectMeta{Name: name}, Spec: &graftv1alpha1.FilterSpec{
			Implementation: &graftv1alpha1.FilterSpec_Wasm{Wasm: &graftv1alpha1.Wasm{
				Module: "/module.wasm", Config: structpb.NewStringValue(config),
			}},
			Targets: []*graftv1alpha1.Target{target},
		}},
	}
}

func cluster(i int) string { return fmt.Sprintf("cluster-%d", i) }

func (w *world) parse(b *testing.B, last []snapshot.Document) *snapshot.Config {
	b.Helper()
	config, problems := snapshot.Parse(w.documents, nil, last)
	if len(problems) > 0 {
		b.Fatal(problems[0])
	}
	return config
}

func (w *world) next(b *testing.B, config *snapshot.Config) *snapshot.Config {
	b.Helper()
	next, problems := config.Next(w.documents, nil)
	if len(problems) > 0 {
		b.Fatal(problems[0])
	}
	return next
}

func (w *world) input(config *snapshot.Config, last *snapshot.Result) snapshot.Input {
	in := snapshot.Input{Config: config, Modules: w.modules, Last: last}
	for i := range w.groups {
		node := snapshot.Node{Cluster: cluster(i), Traits: snapshot.Traits{FilterChain: true, Wasm: true, Extensions: true}}
		in.Groups = append(in.Groups, config.Place(node, nil, ""))
	}
	return in
}

func (w *world) build(b *testing.B, in snapshot.Input) *snapshot.Result {
	b.Helper()
	built := snapshot.Build(in)
	if len(built.Problems) > 0 {
		b.Fatal(built.Problems[0])
	}
	return built
}

// each runs a benchmark for every size.
func each(b *testing.B, run func(*testing.B, *world)) {
	for _, groups := range []int{1, 100} {
		for _, filters := range []int{10, 100, 1000} {
			b.Run(fmt.Sprintf("filters=%d/groups=%d", filters, groups), func(b *testing.B) {
				run(b, newWorld(filters, groups))
			})
		}
	}
}

// BenchmarkParse parses all documents from nothing.
func BenchmarkParse(b *testing.B) {
	each(b, func(b *testing.B, w *world) {
		for b.Loop() {
			w.parse(b, nil)
		}
	})
}

// BenchmarkBuild builds all groups from nothing, as after a start.
func BenchmarkBuild(b *testing.B) {
	each(b, func(b *testing.B, w *world) {
		in := w.input(w.parse(b, nil), nil)
		for b.Loop() {
			w.build(b, in)
		}
	})
}

// edit measures saves: each changes the documents, as a source would, and is parsed and built.
func edit(b *testing.B, save func(w *world, edit int)) {
	each(b, func(b *testing.B, w *world) {
		config := w.parse(b, nil)
		last := w.build(b, w.input(config, nil))
		b.ReportAllocs()
		for edit := 0; b.Loop(); edit++ {
			save(w, edit)
			config = w.next(b, config)
			last = w.build(b, w.input(config, last))
		}
	})
}

// BenchmarkEdit is one save: the last filter, which is for one group, gets another configuration.
func BenchmarkEdit(b *testing.B) {
	edit(b, func(w *world, edit int) { w.documents[w.filters] = w.filter(w.filters-1, fmt.Sprint(edit)) })
}

// BenchmarkEditForAll is one save: the first filter, which is for every group, gets another configuration.
func BenchmarkEditForAll(b *testing.B) {
	edit(b, func(w *world, edit int) { w.documents[1] = w.filter(0, fmt.Sprint(edit)) })
}

// BenchmarkAdd is one save: the last filter is gone, or there again.
func BenchmarkAdd(b *testing.B) {
	edit(b, func(w *world, edit int) { w.documents = w.documents[:w.filters+edit%2] })
}

// BenchmarkShift is one save: a line more at the top of the file.
func BenchmarkShift(b *testing.B) {
	edit(b, func(w *world, _ int) {
		for i := range w.documents {
			w.documents[i].Origin.Line++
		}
	})
}

// BenchmarkNothing builds what was built before: what a proxy in a new group, or a save without a change, costs.
func BenchmarkNothing(b *testing.B) {
	each(b, func(b *testing.B, w *world) {
		in := w.input(w.parse(b, nil), nil)
		in.Last = w.build(b, in)
		for b.Loop() {
			w.build(b, in)
		}
	})
}

// BenchmarkWanted is what asking for modules costs each edit.
func BenchmarkWanted(b *testing.B) {
	each(b, func(b *testing.B, w *world) {
		config := w.parse(b, nil)
		memory := w.build(b, w.input(config, nil)).Memory
		for b.Loop() {
			snapshot.Wanted(config, memory)
		}
	})
}

// BenchmarkPlace finds the group of a proxy, as each new stream does.
func BenchmarkPlace(b *testing.B) {
	each(b, func(b *testing.B, w *world) {
		config := w.parse(b, nil)
		node := snapshot.Node{ID: "node-50", Cluster: cluster(w.groups / 2)}
		for b.Loop() {
			config.Place(node, nil, "")
		}
	})
}
