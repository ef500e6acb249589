package snapshot

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// world is all that surrounds Build in a golden case.
type world struct {
	t        testing.TB
	docs     []Document
	modulesY map[string]moduleYAML
	nodesY   []nodeYAML
	config   *Config
	groups   []Group
	result   *Result
	before   *Result
}

type moduleYAML struct {
	Bytes string // what stands for the module; its digest is that of this text
	Size  int    // padded to so many bytes
	Path  string // in the store
	Error string // why the newest could not be had
	Gone  bool   // not in the store either
}

type nodeYAML struct {
	Name    string
	Node    struct{ ID, Cluster string }
	Labels  map[string]string
	Envoy   string // version; its traits follow from it
	NoWasm  bool   `yaml:"noWasm"`
	Chains  *bool
	Foreign []string
}

func (w *world) restart(string) {
	data, err := MarshalMemory(w.result.Memory)
	if err != nil {
		w.t.Fatal(err)
	}
	memory, err := UnmarshalMemory(data)
	if err != nil {
		w.t.Fatal(err)
	}
	w.result = &Result{Memory: memory}
}

func (w *world) documents(text string) {
	files := map[string]File{}
	for _, doc := range parsedYAML(w.t, "in.yaml", text, files) {
		if wasm := doc.Filter.GetSpec().GetWasm(); wasm != nil {
			files[wasm.GetModule()] = File{Stamp: "1"}
		}
	}
	w.docs = parsedYAML(w.t, "in.yaml", text, files)
}

func (w *world) modules(text string) { w.decode(text, &w.modulesY) }
func (w *world) nodes(text string)   { w.nodesY = nil; w.decode(text, &w.nodesY) }

func (w *world) decode(text string, into any) {
	w.t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) build() {
	w.t.Helper()
	config, problems := Parse(w.docs, nil, nil)
	var refused []Problem
	for _, p := range problems {
		if !p.Code.Warning() {
			refused = append(refused, p)
		}
	}
	if len(refused) > 0 {
		w.t.Fatalf("the documents are not good:\n%s", problemText(refused))
	}
	w.config = config
	previous := w.groups
	w.groups = nil
	for i, node := range w.nodesY {
		before := ""
		if i < len(previous) {
			before = previous[i].Key
		}
		w.groups = append(w.groups, config.Place(node.node(), node.Foreign, before))
	}
	w.before = w.result
	w.result = Build(Input{Config: config, Modules: w.outcomes(), Groups: w.groups, Last: w.before, Options: Options{ModuleHost: "graft.example.com", ModulePort: 18001}})
	checkClosed(w.t, w.groups, w.result)
}

func (n *nodeYAML) node() Node {
	chains := n.Envoy >= "1.39"
	if n.Chains != nil {
		chains = *n.Chains
	}
	return Node{
		ID: n.Node.ID, Cluster: n.Node.Cluster, Labels: n.Labels,
		Traits: Traits{FilterChain: chains, Wasm: !n.NoWasm, Version: n.Envoy, Extensions: true},
	}
}

func (w *world) outcomes() map[Ref]Outcome {
	memory := Memory{}
	if w.before != nil {
		memory = w.before.Memory
	}
	outcomes := map[Ref]Outcome{}
	for _, ref := range Wanted(w.config, memory) {
		for path, is := range w.modulesY {
			module := is.module()
			outcome := Outcome{}
			switch {
			case ref.Location == path && is.Error != "":
				outcome.Err = &ModuleError{Code: "module", What: is.Error, Hint: "mend it"}
			case ref.Location == path:
				outcome.Module = module
			case ref.Location == "" && "sha256:"+ref.SHA256 == module.Digest && is.Gone:
				outcome.Err = &ModuleError{Code: "module", What: "not in the store"}
			case ref.Location == "" && "sha256:"+ref.SHA256 == module.Digest:
				outcome.Module = module
			default:
				continue
			}
			outcomes[ref] = outcome
		}
	}
	return outcomes
}

func (m moduleYAML) module() *Module {
	body := append([]byte(m.Bytes), make([]byte, max(0, m.Size-len(m.Bytes)))...)
	return &Module{Digest: fmt.Sprintf("sha256:%x", sha256.Sum256(body)), Bytes: body, ABI: "0.2.1", Path: m.Path}
}
