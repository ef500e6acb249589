package snapshot

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// desk is some files that are edited at random, and read as a source reads them: what has not changed is the same pointer,
// and what stands further down is the same message with other positions.
type desk struct {
	randomWorld
	t     *testing.T
	files map[string][]string // texts of the documents in each
	cache map[string][]Document
	stamp int
}

func newDesk(t *testing.T, seed uint64) *desk {
	return &desk{
		randomWorld: randomWorld{rand.New(rand.NewPCG(seed, 2))}, t: t,
		files: map[string][]string{"a.yaml": nil, "b.yaml": nil, "c/d.yaml": nil}, cache: map[string][]Document{},
	}
}

// edit does one to three things to the files.
func (d *desk) edit() {
	for range 1 + d.IntN(3) {
		file := d.pick(sortedKeys(d.files)...)
		texts := d.files[file]
		switch at := d.IntN(len(texts) + 1); {
		case d.chance(8):
			d.stamp++
		case at == len(texts) || d.chance(4):
			texts = slices.Insert(slices.Clone(texts), at, d.object())
		case d.chance(3):
			texts = slices.Delete(slices.Clone(texts), at, at+1)
		case d.chance(3):
			texts = slices.Clone(texts)
			texts[at] = "# one line more\n" + texts[at]
		default:
			texts = slices.Clone(texts)
			texts[at] = d.object()
		}
		d.files[file] = texts
	}
}

func (d *desk) object() string {
	switch {
	case d.chance(6):
		return filterYAML(fmt.Sprintf("f%d", d.IntN(8)), "lua: {code: '"+d.pick("x", "envoy_on_request", "envoy_on_response")+"'}")
	case d.chance(5):
		return proxyYAML(fmt.Sprintf("proxy-%d", d.IntN(3)), fmt.Sprintf(
			"nodes: {%s}\nlisteners:\n- {name: l%d, address: \"0.0.0.0:1000%d\", slots: %d, routes: [{name: %s, prefix: /api, response: {status: 200}}]}",
			d.pick("", "cluster: edge", `id: "*-1"`), d.IntN(3), d.IntN(3), 1+d.IntN(5), d.pick("api", "other")))
	default:
		return d.filter(d.IntN(8))
	}
}

// documents reads the files.
func (d *desk) documents() []Document {
	var all []Document
	for _, file := range sortedKeys(d.files) {
		line := 0
		for i, text := range d.files[file] {
			known := fmt.Sprint(file, i, text)
			if d.cache[known] == nil {
				d.cache[known] = parsedYAML(d.t, file, text, nil)
			}
			for _, doc := range d.cache[known] {
				doc.Origin.Line += line
				if line > 0 || d.chance(8) {
					doc.Positions = maps.Clone(doc.Positions)
					for field, p := range doc.Positions {
						doc.Positions[field] = Position{p.Line + line, p.Column}
					}
				}
				doc.Files = map[string]File{"/a.wasm": {Stamp: fmt.Sprint(d.stamp)}, "/b.wasm": {Stamp: "2"}}
				all = append(all, doc)
			}
			line += strings.Count(text, "\n")
		}
	}
	return all
}

// broken drops what cannot be read for the moment: a file, a folder, or an object.
func (d *desk) broken(docs []Document) ([]Document, []Broken) {
	if !d.chance(4) || len(docs) == 0 {
		return docs, nil
	}
	lost := docs[d.IntN(len(docs))]
	b := Broken{Problem: Problem{Origin: Origin{File: lost.Origin.File}, What: "cannot be read"}}
	if d.chance(2) {
		b.Key = lost.Key
	}
	return slices.DeleteFunc(slices.Clone(docs), func(doc Document) bool {
		return doc.Key == lost.Key || b.Key == (Key{}) && doc.Origin.File == lost.Origin.File
	}), []Broken{b}
}

// strangers gives the same documents without a pointer in common.
func strangers(docs []Document) []Document {
	out := slices.Clone(docs)
	for i := range out {
		if out[i].Filter != nil {
			out[i].Filter = proto.Clone(out[i].Filter).(*graftv1alpha1.Filter)
		} else {
			out[i].Proxy = proto.Clone(out[i].Proxy).(*graftv1alpha1.Proxy)
		}
		out[i].Positions, out[i].Files = maps.Clone(out[i].Positions), maps.Clone(out[i].Files)
	}
	return out
}

// everything is all that a Config tells.
func everything(c *Config) []string {
	lines := configText(c)
	for _, f := range c.Filters {
		lines = append(lines, fmt.Sprint(f.Key, f.Phase, f.Priority, f.Origin("spec.targets"), f.Lua, formHash(f)))
	}
	for _, p := range c.Proxies {
		lines = append(lines, fmt.Sprint(p.Key, p.Origin("spec.listeners[0].name"), proxyHash(p)))
	}
	for i := range c.Documents {
		d := &c.Documents[i]
		lines = append(lines, fmt.Sprint(d.At("spec"), d.Files), string(d.body()))
	}
	for _, name := range []string{"n-0", "n-1"} {
		for _, cluster := range []string{"edge", "inner"} {
			lines = append(lines, c.Place(Node{ID: name, Cluster: cluster}, nil, "").Key)
		}
	}
	return lines
}

// TestNextIsParse edits files at random. What comes of going on from one step to the next, sharing all that did not
// change, is what comes of reading everything anew and looking at every group.
func TestNextIsParse(t *testing.T) {
	seeds := uint64(150)
	if testing.Short() {
		seeds = 40
	}
	for seed := range seeds {
		d := newDesk(t, seed)
		next, fresh := &Config{}, &Config{}
		var built, anew *Result
		var groups []Group
		for step := range 12 {
			d.edit()
			docs, broken := d.broken(d.documents())
			var told, toldAnew []Problem
			next, told = next.Next(docs, broken)
			fresh, toldAnew = Parse(strangers(docs), broken, strangers(fresh.Documents))
			if diff := cmp.Diff(problemText(toldAnew), problemText(told)); diff != "" {
				t.Fatalf("seed %d step %d: problems of Parse (-), of Next (+):\n%s", seed, step, diff)
			}
			if diff := cmp.Diff(everything(fresh), everything(next)); diff != "" {
				t.Fatalf("seed %d step %d: Parse (-), Next (+):\n%s", seed, step, diff)
			}
			groups = d.groups(next, groups)
			in := Input{Config: next, Modules: d.outcomes(next, built), Groups: groups, Last: built, Options: Options{ModuleHost: "m", ModulePort: 1}}
			built = Build(in)
			in.Config, in.Last = fresh, withGhost(anew)
			anew = Build(in)
			if diff := cmp.Diff(wire(anew), wire(built)); diff != "" {
				t.Fatalf("seed %d step %d: looking at everything (-), at what changed (+):\n%s", seed, step, diff)
			}
			if diff := cmp.Diff(remembered(t, anew), remembered(t, built)); diff != "" {
				t.Fatalf("seed %d step %d: looking at everything (-), at what changed (+):\n%s", seed, step, diff)
			}
			checkStatuses(t, built)
			for key := range built.Memory.Forms {
				if !slices.ContainsFunc(next.Filters, func(f *Filter) bool { return f.Key == key }) {
					t.Fatalf("seed %d step %d: %s is gone and remembered", seed, step, key)
				}
			}
		}
	}
}

// withGhost makes Build look at every group: it adds a filter that selects all of them and is gone now.
func withGhost(r *Result) *Result {
	if r == nil {
		return nil
	}
	haunted, memo := *r, *r.memo
	ghost := &Filter{Key: Key{kindFilter, "default", "ghost"}, Targets: []Target{{}}}
	memo.verdicts = append(slices.Clone(memo.verdicts), &verdict{newest: ghost})
	haunted.memo = &memo
	return &haunted
}

func remembered(t *testing.T, r *Result) string {
	data, err := MarshalMemory(r.Memory)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// checkStatuses looks for each filter in all that is sent.
func checkStatuses(t *testing.T, r *Result) {
	t.Helper()
	for i, state := range r.Statuses {
		v := r.memo.verdicts[i]
		var inForce *form
		missing := false
		for _, group := range r.Groups {
			for _, p := range group.plans {
				missing = missing || slices.Contains(p.missing, state.Key)
				p.each(func(part *part) {
					if part.key == state.Key && part.form != nil && v.worse(part.form, inForce) {
						inForce = part.form
					}
				})
			}
		}
		if inForce == nil && !missing {
			inForce = v.form
		}
		want := state
		want.InForce, want.Module = "", nil
		if inForce != nil {
			want.InForce, want.Module = inForce.filter.Hash, inForce.module
		}
		if diff := cmp.Diff(want, state); diff != "" {
			t.Errorf("status of %s: found (-), told (+):\n%s", state.Key, diff)
		}
	}
}
