package snapshot

import (
	"bytes"
	"strings"
	"testing"
)

// TestFilterHash shows what makes another form: all that the filter means, and the stamp of its module, but not the
// place where it is written nor its name.
func TestFilterHash(t *testing.T) {
	files := func(stamp string) map[string]File {
		return map[string]File{"/m.wasm": {Stamp: stamp}, "/n.wasm": {Stamp: stamp}}
	}
	base := onlyFilter(t, "wasm: {module: /m.wasm}", files("1")).Hash
	for _, same := range []string{
		"# a comment\nwasm: {module: /m.wasm}",
		"wasm: {module: /m.wasm, onFailure: reload, delivery: auto, config: null}",
		"wasm: {module: /m.wasm}\ntargets: []\norder: {phase: default}",
		"wasm: {module: /m.wasm}\ntargets: [{nodes: {}}]",
	} {
		if got := onlyFilter(t, same, files("1")).Hash; got != base {
			t.Errorf("%s: another hash", same)
		}
	}
	seen := map[string]string{base: "the base"}
	for _, other := range []string{
		"wasm: {module: /n.wasm}", "wasm: {module: /m.wasm, sha256: " + strings.Repeat("a", 64) + "}", "wasm: {module: /m.wasm, config: x}",
		"wasm: {module: /m.wasm, rootID: x}", "wasm: {module: /m.wasm, vmID: x}", "wasm: {module: /m.wasm, env: {A: x}}",
		"wasm: {module: /m.wasm, envFromHost: [x]}", "wasm: {module: /m.wasm, onFailure: open}", "wasm: {module: /m.wasm, allow: [x]}",
		"wasm: {module: /m.wasm, delivery: file}", "wasm: {module: /m.wasm}\norder: {priority: 1}", "wasm: {module: /m.wasm}\norder: {phase: stats}",
		"wasm: {module: /m.wasm}\ntargets: [{nodes: {id: x}}]", "wasm: {module: /m.wasm}\ntargets: [{ports: [1]}]",
		"wasm: {module: /m.wasm}\ntargets: [{direction: inbound}]", luaSpec,
		`native: {"@type": type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer, max_request_bytes: 1}`,
		`native: {"@type": type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer, max_request_bytes: 2}`,
	} {
		hash := onlyFilter(t, other, files("1")).Hash
		if was, ok := seen[hash]; ok {
			t.Errorf("%s and %s have one hash", other, was)
		}
		seen[hash] = other
	}
	if onlyFilter(t, "wasm: {module: /m.wasm}", files("2")).Hash == base {
		t.Error("a new file has the old hash")
	}
}

// TestProxyHash shows that a new certificate is another form, and a file that was only touched is not.
func TestProxyHash(t *testing.T) {
	text := proxyYAML("edge", `clusters: [{name: app, endpoints: ["127.0.0.1:1"], tls: {caFile: cert.pem}}]`)
	files := keyPair(t)
	base := parse(t, text, files).Proxies[0].Hash
	files["cert.pem"] = File{Data: files["cert.pem"].Data, Stamp: "touched"}
	if parse(t, text, files).Proxies[0].Hash != base {
		t.Error("a touched file is another form")
	}
	files["cert.pem"] = File{Data: append(bytes.Clone(files["cert.pem"].Data), files["cert.pem"].Data...)}
	if parse(t, text, files).Proxies[0].Hash == base {
		t.Error("another certificate is the same form")
	}
}

// TestSelection shows what may move a proxy to another group: selectors of nodes, and nothing else.
func TestSelection(t *testing.T) {
	edge := proxyYAML("edge", "nodes: {cluster: edge}\nlisteners: [{name: web, address: '0.0.0.0:1'}]")
	base := parse(t, edge+filterYAML("melon", luaSpec), nil).Selection
	same := map[string]string{
		"another filter that selects as one that is there": edge + filterYAML("melon", luaSpec) + filterYAML("lemon", luaSpec),
		"a filter that changed":                            edge + filterYAML("melon", luaSpec+"\ntargets: [{listeners: [web]}]\norder: {priority: 4}"),
		"a listener that changed":                          strings.ReplaceAll(edge, "0.0.0.0:1", "0.0.0.0:2") + filterYAML("melon", luaSpec),
	}
	for what, text := range same {
		if parse(t, text, nil).Selection != base {
			t.Errorf("%s: another selection", what)
		}
	}
	other := map[string]string{
		"a filter with a selector": edge + filterYAML("melon", luaSpec+"\ntargets: [{nodes: {id: x}}]"),
		"another Proxy":            edge + proxyYAML("more", "nodes: {cluster: edge}") + filterYAML("melon", luaSpec),
		"another selector":         strings.ReplaceAll(edge, "cluster: edge", "cluster: edgy") + filterYAML("melon", luaSpec),
		"another name":             strings.ReplaceAll(edge, "name: edge", "name: edgy") + filterYAML("melon", luaSpec),
	}
	for what, text := range other {
		if parse(t, text, nil).Selection == base {
			t.Errorf("%s: the same selection", what)
		}
	}
}
