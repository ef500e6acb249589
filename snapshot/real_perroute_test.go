package snapshot

import (
	"fmt"
	"testing"

	"github.com/graft-xds/graft/test/envoytest"
)

// mark is a Lua filter that notes its name in a request header and, as the filter that is last on the request path has
// them all, in the answer.
func mark(name, rest string) string {
	return filterYAML(name, fmt.Sprintf(`lua:
  code: |
    function envoy_on_request(handle)
      handle:headers():add("x-met", %q)
      local met = {}
      for name, value in pairs(handle:headers()) do
        if name == "x-met" then table.insert(met, value) end
      end
      handle:streamInfo():dynamicMetadata():set("met", "all", table.concat(met, " "))
    end
    function envoy_on_response(handle)
      local met = handle:streamInfo():dynamicMetadata():get("met")
      handle:headers():replace("x-met", met and met["all"] or "")
    end
%s`, name, rest))
}

func TestPerRouteOrderInEnvoy(t *testing.T) {
	for _, version := range []string{"1.40", "1.39", "1.37"} {
		t.Run(version, func(t *testing.T) {
			port := envoytest.Ports(t, 1)[0]
			text := mark("a", "order: {priority: 5}") +
				mark("b", "order: {priority: 4}\ntargets: [{routes: [api]}]") +
				mark("c", "order: {priority: 3}") +
				mark("d", "order: {priority: 2}\ntargets: [{routes: [api, web]}]") +
				mark("e", "order: {priority: 1}") +
				proxyYAML("edge", fmt.Sprintf(`
listeners:
- name: web
  address: 127.0.0.1:%d
  routes:
  - {name: api, prefix: /api, response: {status: 200, body: api}}
  - {name: web, prefix: /web, response: {status: 200, body: web}}
  - {prefix: /, response: {status: 200, body: other}}
`, port))
			cfg, problems := Parse(parsedYAML(t, "in.yaml", text, nil), nil, nil)
			if len(problems) > 0 {
				t.Fatal(problemText(problems))
			}
			node := Node{Traits: Traits{FilterChain: version >= "1.39", Wasm: true, Extensions: true}}
			group := cfg.Place(node, nil, "")
			result := Build(Input{Config: cfg, Groups: []Group{group}})
			e := feed(t, version, result.Groups[group.Key])
			for path, want := range map[string]string{
				"/api": "a b c d e", "/web": "a c d e", "/other": "a c e",
			} {
				status, met := e.get(port, path, "x-met")
				if status != 200 || met != want {
					t.Errorf("%s: %d, met %q; want %q", path, status, met, want)
				}
			}
		})
	}
}
