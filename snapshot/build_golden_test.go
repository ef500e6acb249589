package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// TestBuildGolden builds what each testdata/build/*.txtar describes, in steps. What a step has in.yaml (documents),
// modules.yaml (what became of each module) and nodes.yaml (the proxies), with the number of the step in the name from the
// second on; what a step leaves out is as before. A step with restart.txt begins a new process. What it gives is in
// problems.txt, status.txt and xds.yaml.
func TestBuildGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/build/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { runGolden(t, file) })
	}
}

func runGolden(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	archive := txtar.Parse(data)
	sections := map[string]string{}
	for _, section := range archive.Files {
		sections[section.Name] = string(section.Data)
	}
	made := &txtar.Archive{Comment: archive.Comment}
	known := map[string]bool{}
	add := func(name, text string) {
		known[name] = true
		made.Files = append(made.Files, txtar.File{Name: name, Data: []byte(text)})
	}
	w := &world{t: t}
	for step := 1; ; step++ {
		suffix, inputs := "", 0
		if step > 1 {
			suffix = fmt.Sprint(step)
		}
		for _, input := range []struct {
			name string
			take func(string)
		}{{"restart%s.txt", w.restart}, {"in%s.yaml", w.documents}, {"modules%s.yaml", w.modules}, {"nodes%s.yaml", w.nodes}} {
			name := fmt.Sprintf(input.name, suffix)
			if text, ok := sections[name]; ok {
				input.take(text)
				add(name, text)
				inputs++
			}
		}
		if inputs == 0 {
			break
		}
		w.build()
		add("problems"+suffix+".txt", problemText(w.result.Problems))
		add("status"+suffix+".txt", w.status())
		add("xds"+suffix+".yaml", w.xds())
	}
	for name := range sections {
		if !known[name] {
			t.Errorf("section %s belongs to no step", name)
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(made), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(data), string(txtar.Format(made))); diff != "" {
		t.Errorf("want (-), got (+); go test ./snapshot -update\n%s", diff)
	}
}

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

func (w *world) status() string {
	var out strings.Builder
	for _, s := range w.result.Statuses {
		fmt.Fprintf(&out, "%s: ", innerName(s.Key))
		switch s.InForce {
		case "":
			out.WriteString("not in force")
		case s.Hash:
			out.WriteString("in force")
		default:
			out.WriteString("an older form in force")
		}
		if s.Module != nil {
			fmt.Fprintf(&out, ", %s", s.Module.Digest[:19])
		}
		if s.Waiting {
			out.WriteString(", waiting")
		}
		out.WriteByte('\n')
		for _, text := range s.Problems {
			fmt.Fprintf(&out, "  %s\n", strings.ReplaceAll(text, "\n", "\n    "))
		}
	}
	return out.String()
}

// xds shows what each group gets: its slots whole, of the other resources the names and what the slots put into routes.
func (w *world) xds() string {
	type shown struct {
		Slots     map[string]any    `yaml:"slots"`
		Routes    map[string]any    `yaml:"routes,omitempty"`
		Resources map[string]string `yaml:"resources,omitempty"`
	}
	out := map[string]shown{}
	for i, group := range w.groups {
		resources := w.result.Groups[group.Key]
		s := shown{Slots: map[string]any{}, Routes: map[string]any{}, Resources: map[string]string{}}
		for name, content := range resources.Slots {
			s.Slots[name] = w.content(i, content)
		}
		for of, list := range resources.Types {
			var names []string
			for _, r := range list {
				names = append(names, r.Name)
				if of == RouteType {
					if routes := w.perRoute(r); len(routes) > 0 {
						s.Routes[r.Name] = routes
					}
				}
			}
			s.Resources[kindOf(of)] = strings.Join(names, " ")
		}
		out[w.nodesY[i].Name] = s
	}
	var text strings.Builder
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(out); err != nil {
		w.t.Fatal(err)
	}
	return text.String()
}

func (w *world) content(group int, c *Content) any {
	if w.before != nil {
		for _, key := range []string{w.groups[group].Key, w.groups[group].Previous} {
			if before := w.before.Groups[key]; before != nil && before.Slots[c.Slot] == c {
				return "unchanged"
			}
		}
	}
	var m corev3.TypedExtensionConfig
	if err := proto.Unmarshal(c.Render(Variant{}).Body, &m); err != nil {
		w.t.Fatal(err)
	}
	shown := w.json(m.GetTypedConfig())
	if c.Provisional {
		shown["provisional"] = true
	}
	if len(c.Fetches) > 0 {
		shown["fetches"] = len(c.Fetches)
	}
	return shown
}

func (w *world) perRoute(r *Resource) map[string]any {
	var m routev3.RouteConfiguration
	if err := proto.Unmarshal(r.Body, &m); err != nil {
		w.t.Fatal(err)
	}
	out := map[string]any{}
	for _, host := range m.GetVirtualHosts() {
		for slot, config := range host.GetTypedPerFilterConfig() {
			out[host.GetName()+" "+slot] = w.json(config)
		}
		for _, route := range host.GetRoutes() {
			for slot, config := range route.GetTypedPerFilterConfig() {
				out[host.GetName()+" "+route.GetName()+" "+slot] = w.json(config)
			}
		}
	}
	return out
}

func (w *world) json(m proto.Message) map[string]any {
	text, err := protojson.Marshal(m)
	if err != nil {
		w.t.Fatal(err)
	}
	shown := map[string]any{}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&shown); err != nil {
		w.t.Fatal(err)
	}
	return shorten(shown).(map[string]any)
}

// shorten writes digests for modules, and short types.
func shorten(v any) any {
	switch is := v.(type) {
	case map[string]any:
		for name, value := range is {
			text, _ := value.(string)
			switch name {
			case "inlineBytes":
				body, _ := base64.StdEncoding.DecodeString(text)
				is[name] = fmt.Sprintf("%d bytes, %s", len(body), fmt.Sprintf("sha256:%x", sha256.Sum256(body))[:19])
			case "@type":
				is[name] = text[strings.LastIndexByte(text, '.')+1:]
			case "allowedCapabilities":
				allowed := value.(map[string]any)
				for _, always := range strings.Fields(moduleCallbacks + wasiCalls) {
					delete(allowed, always)
				}
			case "metadata":
				is[name] = value.([]any)[0].(map[string]any)["value"]
			default:
				is[name] = shorten(value)
			}
		}
	case []any:
		for i := range is {
			is[i] = shorten(is[i])
		}
	}
	return v
}

// checkClosed checks of every group that the slots its listeners and proxies name are those that are served.
func checkClosed(t testing.TB, groups []Group, result *Result) {
	t.Helper()
	for _, group := range groups {
		resources := result.Groups[group.Key]
		named := slices.Clone(group.Foreign)
		for _, r := range resources.Types[ListenerType] {
			named = append(named, slotsNamedIn(t, r)...)
		}
		slices.Sort(named)
		if diff := cmp.Diff(slices.Compact(named), sortedKeys(resources.Slots)); len(named)+len(resources.Slots) > 0 && diff != "" {
			t.Errorf("group %s: named (-), served (+):\n%s", group.Key, diff)
		}
		for name, content := range resources.Slots {
			if content.Slot != name {
				t.Errorf("slot %s has the content of %s", name, content.Slot)
			}
		}
	}
}

// slotsNamedIn finds them in the text of the resource, so by another way than Build does.
func slotsNamedIn(t testing.TB, r *Resource) []string {
	t.Helper()
	var names []string
	var walk func(v any)
	walk = func(v any) {
		switch is := v.(type) {
		case map[string]any:
			if is["configDiscovery"] != nil {
				names = append(names, is["name"].(string))
			}
			for _, value := range is {
				walk(value)
			}
		case []any:
			for _, value := range is {
				walk(value)
			}
		}
	}
	text, err := protojson.Marshal(unpack(t, r))
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	walk(v)
	return names
}

// unpack gives the message of a resource.
func unpack(t testing.TB, r *Resource) proto.Message {
	t.Helper()
	m, err := (&anypb.Any{TypeUrl: r.Type, Value: r.Body}).UnmarshalNew()
	if err != nil {
		t.Fatal(err)
	}
	return m
}
