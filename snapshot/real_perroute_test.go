package snapshot

import (
	"fmt"
	"testing"
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
			w := newRealWorld(t, version, version >= "1.39")
			text := mark("a", "order: {priority: 5}") +
				mark("b", "order: {priority: 4}\ntargets: [{routes: [api]}]") +
				mark("c", "order: {priority: 3}") +
				mark("d", "order: {priority: 2}\ntargets: [{routes: [api, web]}]") +
				mark("e", "order: {priority: 1}") +
				hello("w", "targets: [{routes: [api]}]")
			w.routes = `
  - {name: api, prefix: /api, response: {status: 200, body: api}}
  - {name: web, prefix: /web, response: {status: 200, body: web}}
  - {prefix: /, response: {status: 200, body: other}}`
			e := feed(t, version, w.build(text))
			for path, want := range map[string]string{
				"/api": "a b c d e", "/web": "a c d e", "/other": "a c e",
			} {
				status, met := e.get(w.port, path, "x-met")
				if status != 200 || met != want {
					t.Errorf("%s: %d, met %q; want %q", path, status, met, want)
				}
				if _, values := e.get(w.port, path, "hello"); (values == "w") != (path == "/api") {
					t.Errorf("%s: hello %q", path, values)
				}
			}
		})
	}
}
