package snapshot

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLastForm plays edits: each step is what the sources hold then, and what is in force after it.
func TestLastForm(t *testing.T) {
	lua := func(name, mark string) string {
		return filterYAML(name, "lua: {code: 'function envoy_on_request(h) end -- "+mark+"'}")
	}
	proxy := func(name, spec string) string { return proxyYAML(name, spec) }
	type file struct{ name, text string }
	type step struct {
		what     string
		files    []file
		broken   []Broken
		inForce  []string // name and mark of each filter; name of each Proxy
		problems []string
	}
	web := "listeners: [{name: web, address: '0.0.0.0:1'}]"
	for name, steps := range map[string][]step{
		"a refused edit keeps the last form": {
			{files: []file{{"a.yaml", lua("melon", "1")}}, inForce: []string{"melon 1"}},
			{
				what: "refused", files: []file{{"a.yaml", filterYAML("melon", "lua: {code: x}")}}, inForce: []string{"melon 1"},
				problems: []string{"the script defines neither envoy_on_request nor envoy_on_response"},
			},
			{what: "mended", files: []file{{"a.yaml", lua("melon", "2")}}, inForce: []string{"melon 2"}},
			{what: "gone", files: nil, inForce: nil},
		},
		"an unreadable object keeps its last form, the others go on": {
			{files: []file{{"a.yaml", lua("melon", "1") + lua("lemon", "1")}}, inForce: []string{"lemon 1", "melon 1"}},
			{
				files: []file{{"a.yaml", lua("lemon", "2")}}, broken: []Broken{{Key: Key{"Filter", "default", "melon"}, Problem: Problem{What: "unknown field"}}},
				inForce: []string{"lemon 2", "melon 1"}, problems: []string{"unknown field"},
			},
		},
		"an unreadable object that never was good is not there": {
			{broken: []Broken{{Key: Key{"Filter", "default", "melon"}, Problem: Problem{What: "unknown field"}}}, problems: []string{"unknown field"}},
		},
		"an unreadable file keeps all that it had, but not what is elsewhere now": {
			{files: []file{{"a.yaml", lua("melon", "1") + lua("lemon", "1")}, {"b.yaml", lua("kiwi", "1")}}, inForce: []string{"kiwi 1", "lemon 1", "melon 1"}},
			{
				files: []file{{"b.yaml", lua("kiwi", "2") + lua("lemon", "2")}}, broken: []Broken{{Problem: Problem{Origin: Origin{File: "a.yaml"}, What: "not YAML"}}},
				inForce: []string{"kiwi 2", "lemon 2", "melon 1"}, problems: []string{"not YAML"},
			},
			{
				what: "still", files: []file{{"b.yaml", ""}}, broken: []Broken{{Problem: Problem{Origin: Origin{File: "a.yaml"}, What: "not YAML"}}},
				inForce: []string{"melon 1"}, problems: []string{"not YAML"},
			},
		},
		"the holder of a name keeps it": {
			{files: []file{{"b.yaml", lua("melon", "b")}}, inForce: []string{"melon b"}},
			{
				what: "a file that comes first in order", files: []file{{"a.yaml", lua("melon", "a")}, {"b.yaml", lua("melon", "b")}}, inForce: []string{"melon b"},
				problems: []string{"Filter default/melon is defined twice"},
			},
			{
				what: "the holder may be edited", files: []file{{"a.yaml", lua("melon", "a")}, {"b.yaml", lua("melon", "b2")}}, inForce: []string{"melon b2"},
				problems: []string{"Filter default/melon is defined twice"},
			},
			{what: "the holder is gone", files: []file{{"a.yaml", lua("melon", "a")}}, inForce: []string{"melon a"}},
		},
		"of two Proxies that claim one name, the one that was there stays": {
			{files: []file{{"b.yaml", proxy("b", web)}}, inForce: []string{"b"}},
			{
				files: []file{{"a.yaml", proxy("a", web)}, {"b.yaml", proxy("b", web)}}, inForce: []string{"b"},
				problems: []string{`listener "web" is already defined by Proxy default/b for the same Envoys`, `address "0.0.0.0:1" is already defined by Proxy default/b for the same Envoys`},
			},
			{what: "a listener moves from one to the other in one save", files: []file{{"a.yaml", proxy("a", web)}, {"b.yaml", proxy("b", "listeners: []")}}, inForce: []string{"a", "b"}},
			{what: "and back", files: []file{{"a.yaml", proxy("a", "listeners: []")}, {"b.yaml", proxy("b", web)}}, inForce: []string{"a", "b"}},
		},
		"a Proxy that clashes keeps its last form": {
			{files: []file{{"a.yaml", proxy("a", web)}, {"b.yaml", proxy("b", "listeners: [{name: other, address: '0.0.0.0:2'}]")}}, inForce: []string{"a", "b"}},
			{
				files: []file{{"a.yaml", proxy("a", web)}, {"b.yaml", proxy("b", "listeners: [{name: web, address: '0.0.0.0:2'}]")}}, inForce: []string{"a", "b"},
				problems: []string{`listener "web" is already defined by Proxy default/a for the same Envoys`},
			},
		},
		"Proxies for other Envoys do not clash": {
			{files: []file{{"a.yaml", proxy("a", "nodes: {cluster: a}\n"+web)}, {"b.yaml", proxy("b", "nodes: {cluster: b}\n"+web)}}, inForce: []string{"a", "b"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var last []Document
			for _, s := range steps {
				var docs []Document
				for _, f := range s.files {
					docs = append(docs, parsedYAML(t, f.name, f.text, nil)...)
				}
				config, problems := Parse(docs, s.broken, last)
				var texts []string
				for _, p := range problems {
					texts = append(texts, p.What)
				}
				if diff := cmp.Diff(s.problems, texts); diff != "" {
					t.Errorf("%s: problems (-want +got):\n%s", s.what, diff)
				}
				if diff := cmp.Diff(s.inForce, marks(config)); diff != "" {
					t.Errorf("%s: in force (-want +got):\n%s", s.what, diff)
				}
				if len(config.Documents) != len(s.inForce) {
					t.Errorf("%s: %d documents", s.what, len(config.Documents))
				}
				last = config.Documents
			}
		})
	}
}

func marks(c *Config) []string {
	var out []string
	for _, f := range c.Filters {
		mark := f.Lua[len("function envoy_on_request(h) end -- "):]
		out = append(out, f.Key.Name+" "+mark)
	}
	for _, p := range c.Proxies {
		out = append(out, p.Key.Name)
	}
	return out
}

// TestLastFile shows that an object whose file went away keeps the file as it was.
func TestLastFile(t *testing.T) {
	text := filterYAML("melon", "lua: {file: /x.lua}")
	script := "function envoy_on_request(handle) end"
	before, _ := Parse(parsedYAML(t, "a.yaml", text, map[string]File{"/x.lua": {Data: []byte(script)}}), nil, nil)
	after, problems := Parse(parsedYAML(t, "a.yaml", text, map[string]File{"/x.lua": {Err: "open /x.lua: no such file or directory"}}), nil, before.Documents)
	want := "a.yaml:6:15: Filter default/melon: spec.lua.file: open /x.lua: no such file or directory [unreadable-file]\n" +
		"  the path is relative to the file that it is written in\n"
	if diff := cmp.Diff(want, problemText(problems)); diff != "" {
		t.Error(diff)
	}
	if len(after.Filters) != 1 || after.Filters[0].Lua != script {
		t.Errorf("filters: %v", after.Filters)
	}
}

// TestNextKeepsPointers shows which pointers stay.
func TestNextKeepsPointers(t *testing.T) {
	text := filterYAML("melon", luaSpec) + filterYAML("lemon", luaSpec) + proxyYAML("edge", "listeners: [{name: web, address: '0.0.0.0:1'}]")
	first := parse(t, text, nil)
	next := func(text string) *Config {
		config, _ := first.Next(parsedYAML(t, "in.yaml", text, nil), nil)
		return config
	}
	same := next(text)
	for i := range first.Filters {
		if same.Filters[i] != first.Filters[i] {
			t.Errorf("%s: another pointer", first.Filters[i].Key)
		}
	}
	if same.Proxies[0] != first.Proxies[0] {
		t.Error("the Proxy: another pointer")
	}
	edited := next(filterYAML("melon", luaSpec) + filterYAML("lemon", "lua: {code: 'function envoy_on_response(h) end'}"))
	for _, f := range edited.Filters {
		was := first.Filters[0]
		if f.Key.Name == "melon" {
			was = first.Filters[1]
		}
		if kept := f == was; kept != (f.Key.Name == "melon") {
			t.Errorf("%s: kept %v", f.Key, kept)
		}
	}
	moved := next("# one line more\n" + text)
	if got := moved.Filters[0].Origin("spec").Line; got != first.Filters[0].Origin("spec").Line+1 {
		t.Errorf("a filter that moved says it is in line %d", got)
	}
}
