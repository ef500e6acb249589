package e2e

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/graft-xds/graft/test/envoytest"
)

// semCase is a chain, a request through it, and what is known of the outcome. Everything else about the outcome is
// compared with the same filters listed one by one.
type semCase struct {
	name    string
	filters []semFilter
	request semRequest
	status  int
	up      string // values of x-f that the upstream saw, in order; "-" if no request may reach it
	down    string // values of x-f that came back, in order
	body    string // of the answer; empty: not looked at
}

// semFilter is one filter: exactly one of them is set.
type semFilter struct {
	wasm   *multiConfig
	lua    string
	buffer int // Envoy's buffer filter with this limit
}

// multiConfig is the configuration of test/filters/multi.
type multiConfig struct {
	Request  multiSide `json:"request,omitzero"`
	Response multiSide `json:"response,omitzero"`
	Count    string    `json:"count,omitempty"`
}

// multiSide is one direction of it.
type multiSide struct {
	Headers  map[string]string `json:"headers,omitempty"`
	Callout  string            `json:"callout,omitempty"`
	Reply    int               `json:"reply,omitempty"`
	Wrap     string            `json:"wrap,omitempty"`
	Upper    bool              `json:"upper,omitempty"`
	Trailers map[string]string `json:"trailers,omitempty"`
}

func (c multiConfig) json() string {
	text, _ := json.Marshal(c) // strings and numbers: cannot fail
	return string(text)
}

// semRequest is what the client sends; with a body or trailers it is a POST.
type semRequest struct {
	path     string // with a query for envoytest.Upstream
	body     string
	trailers http.Header
}

// tag marks both directions with a name. It is a script, for a Go module costs Envoy a tenth of a second each time.
func tag(name string) semFilter {
	return semFilter{lua: `
function envoy_on_request(handle) handle:headers():add("x-f", "` + name + `") end
function envoy_on_response(handle) handle:headers():add("x-f", "` + name + `") end
`}
}

// wasmTag is tag by a module.
func wasmTag(name string) semFilter {
	return onBoth(multiSide{Headers: map[string]string{"x-f": name}})
}

func onRequest(s multiSide) semFilter  { return semFilter{wasm: &multiConfig{Request: s}} }
func onResponse(s multiSide) semFilter { return semFilter{wasm: &multiConfig{Response: s}} }
func onBoth(s multiSide) semFilter     { return semFilter{wasm: &multiConfig{Request: s, Response: s}} }

// counted makes a filter count the bytes of bodies; semantics gives each its own stat.
func counted(f semFilter) semFilter {
	c := *f.wasm
	c.Count = "counted"
	return semFilter{wasm: &c}
}

// semCases are made of pauses, for what goes wrong in a chain is what comes after one. A local reply passes the response
// path of all filters, those behind the one that replied too: that is how Envoy does it, listed or not.
func semCases() []semCase {
	call := multiSide{Callout: "callout"}
	tea := multiSide{Reply: http.StatusTeapot}
	callAndReply := multiSide{Callout: "callout", Reply: http.StatusTeapot}
	some := semRequest{path: "/?bytes=9", body: "ping"}
	ok, nine := http.StatusOK, string(envoytest.Filler(9))
	return []semCase{
		{"headers in order", []semFilter{wasmTag("a"), tag("b"), wasmTag("c")}, some, ok, "a b c", "c b a", nine},
		{"callout first", []semFilter{onRequest(call), tag("a"), tag("b")}, some, ok, "a b", "b a", nine},
		{"callout between", []semFilter{tag("a"), onRequest(call), tag("b")}, some, ok, "a b", "b a", nine},
		{"callout twice", []semFilter{onRequest(call), tag("a"), onRequest(call), tag("b")}, some, ok, "a b", "b a", nine},
		{"callout on the response", []semFilter{tag("a"), onResponse(call), tag("b")}, some, ok, "a b", "b a", nine},
		{"callouts on both paths", []semFilter{onBoth(call), tag("a"), onBoth(call), tag("b")}, some, ok, "a b", "b a", nine},
		{
			"request body rewritten twice",
			[]semFilter{tag("a"), onRequest(multiSide{Wrap: "p"}), onRequest(multiSide{Wrap: "q"}), tag("b")},
			some, ok, "a b", "b a", nine,
		},
		{
			"response body rewritten twice",
			[]semFilter{tag("a"), onResponse(multiSide{Wrap: "p"}), onResponse(multiSide{Wrap: "q"}), tag("b")},
			some, ok, "a b", "b a", "p(q(" + nine + "))",
		},
		{
			"wasm, callout, wasm, rewriter, wasm",
			[]semFilter{wasmTag("a"), onBoth(call), wasmTag("b"), onBoth(multiSide{Wrap: "p"}), wasmTag("c")},
			some, ok, "a b c", "c b a", "p(" + nine + ")",
		},
		{
			"request beyond the buffer",
			[]semFilter{tag("a"), {buffer: 1000}, onRequest(call), tag("b")},
			semRequest{path: "/?bytes=9", body: strings.Repeat("x", 200000)},
			http.StatusRequestEntityTooLarge, "-", "b a", "",
		},
		{
			"request within the buffer",
			[]semFilter{tag("a"), {buffer: 1000}, onRequest(call), tag("b")},
			some, ok, "a b", "b a", nine,
		},
		{
			"response beyond the buffer",
			[]semFilter{tag("a"), onResponse(multiSide{Wrap: "p"}), tag("b")},
			semRequest{path: "/?bytes=3000000"},
			http.StatusOK, "a b", "b a", "",
		},
		{"local reply in the middle", []semFilter{tag("a"), onRequest(tea), tag("b")}, some, http.StatusTeapot, "-", "b a", "no tea\n"},
		{"local reply after a callout", []semFilter{onRequest(callAndReply), tag("a")}, some, http.StatusTeapot, "-", "a", "no tea\n"},
		{
			"local reply behind two callouts",
			[]semFilter{tag("a"), onRequest(call), tag("b"), onRequest(callAndReply), tag("c")},
			some, http.StatusTeapot, "-", "c b a", "no tea\n",
		},
		{"local reply to the response", []semFilter{tag("a"), onResponse(tea), tag("b")}, some, http.StatusTeapot, "a b", "", "no tea\n"},
		{
			"streamed response",
			[]semFilter{counted(onResponse(multiSide{Upper: true})), onResponse(call), counted(wasmTag("a"))},
			semRequest{path: "/?bytes=1000&chunks=10&every=1ms"},
			ok, "a", "a", strings.ToUpper(string(envoytest.Filler(1000))),
		},
		{
			"40 MB response",
			[]semFilter{counted(wasmTag("a")), onBoth(call), counted(wasmTag("b"))},
			semRequest{path: "/?bytes=40000000"},
			ok, "a b", "b a", string(envoytest.Filler(40000000)),
		},
		{
			"trailers",
			[]semFilter{
				counted(wasmTag("a")), onBoth(multiSide{Trailers: map[string]string{"x-t": "1", "x-u": "2"}}),
				onBoth(call), counted(onBoth(multiSide{Trailers: map[string]string{"x-t": "3"}})),
			},
			semRequest{path: "/?bytes=9&trailer=x-t:0", body: "ping", trailers: http.Header{"X-T": {"0"}}},
			ok, "a", "a", nine,
		},
		{
			"trailers behind a rewritten body",
			[]semFilter{onBoth(multiSide{Wrap: "p", Trailers: map[string]string{"x-u": "1"}}), onBoth(call), tag("a")},
			semRequest{path: "/?bytes=9&trailer=x-t:0", body: "ping", trailers: http.Header{"X-T": {"0"}}},
			ok, "a", "a", "p(" + nine + ")",
		},
	}
}
