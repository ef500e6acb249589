package snapshot

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

const luaSpec = "lua: {code: 'function envoy_on_request(h) end'}"

func parse(t *testing.T, text string, files map[string]File) *Config {
	t.Helper()
	config, problems := Parse(parsedYAML(t, "in.yaml", text, files), nil, nil)
	if slices.ContainsFunc(problems, func(p Problem) bool { return !p.Code.Warning() }) {
		t.Fatal(problemText(problems))
	}
	return config
}

func onlyFilter(t *testing.T, spec string, files map[string]File) *Filter {
	t.Helper()
	config := parse(t, filterYAML("melon", spec), files)
	if len(config.Filters) != 1 {
		t.Fatalf("%d filters", len(config.Filters))
	}
	return config.Filters[0]
}

func TestParseDefaults(t *testing.T) {
	got := onlyFilter(t, "wasm: {module: /melon.wasm}", map[string]File{"/melon.wasm": {Stamp: "7"}})
	got.Hash, got.Origin = "", nil
	want := &Filter{
		Key:     Key{"Filter", "default", "melon"},
		Phase:   PhaseDefault,
		Targets: []Target{{}},
		Wasm: &Wasm{
			Module: Ref{Location: "/melon.wasm", Stamp: "7"}, OnFailure: "reload", Delivery: "auto",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseEverything(t *testing.T) {
	got := onlyFilter(t, `
wasm:
  module: /melon.wasm
  sha256: `+strings.Repeat("a", 64)+`
  config: {b: [1, 2.5, "<x>"], a: null}
  rootID: root
  vmID: vm
  env: {K: V}
  envFromHost: [HOME]
  onFailure: open
  allow: [proxy_log]
  delivery: file
order: {phase: authz, priority: -3}
targets:
- nodes: {id: "edge-*"}
  proxy: edge
  listeners: [web]
  ports: [10000]
  direction: inbound
  routes: [api]
- nodes: {}
  proxy: other/edge
`, map[string]File{"/melon.wasm": {}})
	got.Hash, got.Origin = "", nil
	want := &Filter{
		Key:      Key{"Filter", "default", "melon"},
		Phase:    PhaseAuthz,
		Priority: -3,
		Targets: []Target{
			{
				Nodes: &graftv1alpha1.NodeSelector{Id: "edge-*"}, Proxy: Key{"Proxy", "default", "edge"},
				Listeners: []string{"web"}, Ports: []uint32{10000}, Direction: "inbound", Routes: []string{"api"},
			},
			{Proxy: Key{"Proxy", "other", "edge"}},
		},
		Wasm: &Wasm{
			Module: Ref{Location: "/melon.wasm", SHA256: strings.Repeat("a", 64)},
			Config: []byte(`{"a":null,"b":[1,2.5,"<x>"]}`), RootID: "root", VMID: "vm",
			Env: map[string]string{"K": "V"}, EnvFromHost: []string{"HOME"},
			OnFailure: "open", Allow: []string{"proxy_log"}, Delivery: "file",
		},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWasmConfigBytes(t *testing.T) {
	for written, want := range map[string]string{
		"":                          "",
		"config: ":                  "",
		"config: null":              "",
		"config: ''":                "",
		"config: melon":             "melon",
		"config: '{\"a\": 1}'":      `{"a": 1}`, // a string goes as it is, whatever is in it
		"config: 10000000":          "10000000",
		"config: true":              "true",
		"config: [b, {z: 1, a: 2}]": `["b",{"a":2,"z":1}]`,
	} {
		got := onlyFilter(t, "wasm:\n  module: /m.wasm\n  "+written, map[string]File{"/m.wasm": {}}).Wasm.Config
		if string(got) != want {
			t.Errorf("%s: %s, want %s", written, got, want)
		}
	}
}

func TestLuaFromFile(t *testing.T) {
	script := "function envoy_on_response(handle) end\n"
	if got := onlyFilter(t, "lua: {file: /x.lua}", map[string]File{"/x.lua": {Data: []byte(script)}}).Lua; got != script {
		t.Errorf("got %q", got)
	}
}

func TestChainOrder(t *testing.T) {
	var text strings.Builder
	for name, order := range map[string]string{
		"last": "phase: stats, priority: 9", "first": "phase: authn", "second": "phase: authz", "d": "priority: -1",
		"b": "", "a": "", "c": "phase: default", "high": "priority: 5",
	} {
		text.WriteString(filterYAML(name, luaSpec+"\norder: {"+order+"}"))
	}
	var got []string
	for _, f := range parse(t, text.String(), nil).Filters {
		got = append(got, f.Key.Name)
	}
	if diff := cmp.Diff(strings.Fields("first second high a b c d last"), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestProxyDefaults(t *testing.T) {
	config := parse(t, proxyYAML("edge", `
listeners:
- name: web
  address: 0.0.0.0:10000
  tls: {certFile: cert.pem, keyFile: key.pem}
  routes:
  - {prefix: /, cluster: app, retry: {}}
  - {path: /x, redirect: {https: true}}
clusters:
- {name: app, endpoints: ["127.0.0.1:1"], healthCheck: {}}`), keyPair(t))
	want := parsedYAML(t, "", proxyYAML("edge", `
listeners:
- name: web
  address: 0.0.0.0:10000
  onMissing: deny
  slots: 8
  direction: gateway
  tls: {certFile: cert.pem, keyFile: key.pem, minVersion: "1.2"}
  routes:
  - {prefix: /, cluster: app, timeout: 15s, retry: {"when": "connect-failure,refused-stream", attempts: 1}}
  - {path: /x, timeout: 15s, redirect: {https: true, status: 301}}
clusters:
- name: app
  endpoints: ["127.0.0.1:1"]
  connectTimeout: 5s
  policy: round_robin
  healthCheck: {path: /, interval: 10s, timeout: 2s, unhealthyThreshold: 3, healthyThreshold: 2}`), nil)[0].Proxy.GetSpec()
	if diff := cmp.Diff(want, config.Proxies[0].Spec, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if written := config.Documents[0].Proxy.GetSpec().GetListeners()[0]; written.GetSlots() != 0 {
		t.Error("the defaults were written into the document of the source")
	}
}

// keyPair is the certificate and key of the golden case for TLS.
func keyPair(t *testing.T) map[string]File {
	t.Helper()
	for _, c := range proxyCases(t) {
		if c.name != "tls" {
			continue
		}
		files := map[string]File{}
		for _, f := range c.archive.Files {
			files[f.Name] = File{Data: f.Data}
		}
		return files
	}
	t.Fatal("no case tls")
	return nil
}

// TestParsePermuted shows that the order in which documents come means nothing.
func TestParsePermuted(t *testing.T) {
	var docs []Document
	for _, file := range []string{"b.yaml", "a.yaml"} { // every object twice: which one holds must not depend on the order
		docs = append(docs, parsedYAML(t, file, filterYAML("melon", luaSpec)+filterYAML("lemon", "lua: {code: ''}")+
			filterYAML("kiwi", luaSpec+"\ntargets: [{proxy: none}]")+
			proxyYAML("edge", "listeners: [{name: web, address: '0.0.0.0:1'}]")+
			proxyYAML("edgy", "listeners: [{name: web, address: '0.0.0.0:1'}]"), nil)...)
	}
	config, problems := Parse(docs, nil, nil)
	shuffle := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		shuffle.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
		config2, problems2 := Parse(docs, nil, nil)
		if diff := cmp.Diff(problemText(problems), problemText(problems2)); diff != "" {
			t.Fatalf("problems differ:\n%s", diff)
		}
		if diff := cmp.Diff(configText(config), configText(config2)); diff != "" {
			t.Fatalf("configs differ:\n%s", diff)
		}
	}
}

// configText tells what is in force: each object with its hash and the file that it is from.
func configText(c *Config) []string {
	lines := []string{c.Selection}
	for _, f := range c.Filters {
		lines = append(lines, f.Key.String()+" "+f.Hash+" "+place(f.Origin("")))
	}
	for _, p := range c.Proxies {
		lines = append(lines, p.Key.String()+" "+p.Hash+" "+place(p.Origin("")))
	}
	for i := range c.Documents {
		lines = append(lines, c.Documents[i].Key.String()+" "+place(c.Documents[i].Origin))
	}
	return lines
}

func TestProblemsAreSorted(t *testing.T) {
	docs := parsedYAML(t, "in.yaml", filterYAML("z", "lua: {code: x}")+filterYAML("a", "lua: {code: x}")+filterYAML("m", "lua: {code: x}"), nil)
	broken := []Broken{
		{Problem: Problem{Origin: Origin{File: "z.yaml"}, What: "last"}},
		{Problem: Problem{Origin: Origin{File: "a.yaml"}, What: "first"}},
		{Problem: Problem{Origin: Origin{File: "a.yaml"}, What: "first"}},
	}
	_, problems := Parse(docs, broken, nil)
	if !slices.IsSortedFunc(problems, CompareProblems) || len(problems) != 5 {
		t.Errorf("not sorted, or not each once:\n%s", problemText(problems))
	}
}
