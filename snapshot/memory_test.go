package snapshot

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
)

func exampleMemory(t *testing.T) Memory {
	t.Helper()
	config := parse(t, filterYAML("melon", `
wasm: {module: /m.wasm, config: {a: 1}, env: {K: V}, allow: [proxy_log]}
order: {phase: authn, priority: 2}
targets: [{nodes: {matchLabels: {app: web, tier: "1"}}, listeners: [web], ports: [1], direction: gateway}]`)+
		filterYAML("lemon", luaSpec)+
		filterYAML("kiwi", `native: {"@type": type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer, max_request_bytes: 1}`)+
		proxyYAML("edge", `
listeners: [{name: web, address: "0.0.0.0:1", tls: {certFile: cert.pem, keyFile: key.pem}}]
resources: [{"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster, name: raw}]`),
		func() map[string]File {
			files := keyPair(t)
			files["/m.wasm"] = File{Stamp: "1"}
			return files
		}())
	memory := Memory{
		Documents: config.Documents,
		Forms:     map[Key]Form{},
		Slots:     map[string]SlotOrder{"g web": {{"Filter", "default", "melon"}, {}, {"Filter", "other", "lemon"}}},
		Selection: config.Selection,
	}
	for _, f := range config.Filters {
		form := Form{Filter: f}
		if f.Wasm != nil {
			form.Module = "sha256:" + strings.Repeat("a", 64)
		}
		memory.Forms[f.Key] = form
	}
	return memory
}

func TestMemoryRoundTrip(t *testing.T) {
	memory := exampleMemory(t)
	data, err := MarshalMemory(memory)
	if err != nil {
		t.Fatal(err)
	}
	back, err := UnmarshalMemory(data)
	if err != nil {
		t.Fatal(err)
	}
	origins := cmp.Transformer("origin", func(at func(string) Origin) Origin { return at("") })
	if diff := cmp.Diff(memory, back, protocmp.Transform(), origins); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for key, form := range back.Forms {
		if got := formHash(form.Filter); got != form.Filter.Hash {
			t.Errorf("%s: its form has another hash than it says", key)
		}
	}
	again, err := MarshalMemory(back)
	if err != nil || !bytes.Equal(data, again) {
		t.Errorf("not the same bytes again (%v)", err)
	}
}

// TestMemoryParses shows that remembered documents stand in for broken ones after a restart, with the same hashes.
func TestMemoryParses(t *testing.T) {
	memory := exampleMemory(t)
	data, err := MarshalMemory(memory)
	if err != nil {
		t.Fatal(err)
	}
	back, err := UnmarshalMemory(data)
	if err != nil {
		t.Fatal(err)
	}
	config, _ := Parse(nil, []Broken{{Problem: Problem{Origin: Origin{File: "in.yaml"}, What: "not YAML"}}}, back.Documents)
	if len(config.Filters) != 3 || len(config.Proxies) != 1 || config.Selection != memory.Selection {
		t.Fatalf("%d filters, %d proxies", len(config.Filters), len(config.Proxies))
	}
	for _, f := range config.Filters {
		if f.Hash != memory.Forms[f.Key].Filter.Hash {
			t.Errorf("%s has another hash after a restart", f.Key)
		}
	}
}

func TestMemoryUnreadable(t *testing.T) {
	for text, want := range map[string]string{
		"":                "read memory: unexpected end of JSON input",
		"{":               "read memory: unexpected end of JSON input",
		"{}":              "read memory: version 0, this graft reads 1",
		`{"version": 99}`: "read memory: version 99, this graft reads 1",
	} {
		if _, err := UnmarshalMemory([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	bad := `{"version":1,"documents":[{"key":{"Kind":"Filter","Namespace":"default","Name":"melon"},"filter":{"spec":{"new":1}}}]}`
	if _, err := UnmarshalMemory([]byte(bad)); err == nil || !strings.HasPrefix(err.Error(), "read memory: Filter default/melon: ") {
		t.Errorf("%v", err)
	}
}

func TestMemoryOfNothing(t *testing.T) {
	data, err := MarshalMemory(Memory{})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"version":1}`; string(data) != want {
		t.Errorf("%s, want %s", data, want)
	}
}
