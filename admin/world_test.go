package admin

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/sources"
	"github.com/graft-xds/graft/xds"
)

// update rewrites golden files: go test ./admin -update.
var update = flag.Bool("update", false, "rewrite golden files")

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// world is a graft as the admin server sees it.
type world struct {
	state    *plane.State
	proxies  []xds.Proxy
	counters xds.Counters
	metrics  *Metrics
	registry *prometheus.Registry
}

func newWorld() *world {
	w := &world{metrics: NewMetrics(), registry: prometheus.NewPedanticRegistry()}
	w.metrics.Register(w.registry, w.State, w)
	return w
}

func (w *world) State() *plane.State    { return w.state }
func (w *world) Proxies() []xds.Proxy   { return w.proxies }
func (w *world) Counters() xds.Counters { return w.counters }

func (w *world) handler() http.Handler {
	return Handler(Options{State: w.State, Proxies: w.Proxies, Metrics: w.registry, Logger: zap.NewNop()})
}

func (w *world) ask(t *testing.T, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	answer := httptest.NewRecorder()
	w.handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return answer
}

const documents = `
apiVersion: graft.dev/v1alpha1
kind: Proxy
metadata: {name: edge}
spec:
  listeners: [{name: web, address: "127.0.0.1:10000", routes: [{name: hi, prefix: /, response: {status: 200}}]}]
---
apiVersion: graft.dev/v1alpha1
kind: Filter
metadata: {name: melon}
spec: {wasm: {module: /melon.wasm}}
---
apiVersion: graft.dev/v1alpha1
kind: Filter
metadata: {name: lemon}
spec: {wasm: {module: /lemon.wasm}}
---
apiVersion: graft.dev/v1alpha1
kind: Filter
metadata: {name: plum}
spec: {lua: {code: "function envoy_on_request() end"}}
`

// publish builds the documents: melon has its module, that of lemon is bad.
func (w *world) publish(t *testing.T) {
	t.Helper()
	decoder, err := sources.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	docs, broken := decoder.Decode("a.yaml", []byte(documents), sources.DecodeOptions{})
	config, problems := snapshot.Parse(docs, broken, nil)
	modules := map[snapshot.Ref]snapshot.Outcome{}
	for _, ref := range snapshot.Wanted(config, snapshot.Memory{}) {
		if ref.Location == "/melon.wasm" {
			modules[ref] = snapshot.Outcome{Module: &snapshot.Module{Digest: "sha256:abcdef", Bytes: []byte("module"), ABI: "0.2.1"}}
		} else {
			modules[ref] = snapshot.Outcome{Err: &snapshot.ModuleError{Code: "not-wasm", What: "not a Wasm module", Hint: "build it"}}
		}
	}
	res := snapshot.Build(snapshot.Input{Config: config, Modules: modules, Groups: plane.ExampleGroups(config)})
	w.state = &plane.State{Config: config, Result: res, Problems: append(problems, res.Problems...), Modules: modules, At: noon}
}

// connect adds a proxy that runs what it should, and one that refused it and its listener.
func (w *world) connect() {
	group := plane.ExampleGroups(w.state.Config)[0]
	wanted := w.state.Result.Groups[group.Key].Slots["graft/web"]
	refusal := xds.Refusal{Type: snapshot.ExtensionType, Name: "graft/web", Revision: wanted.Revision, Text: "no such function", At: noon}
	for _, p := range []xds.Proxy{
		{Slots: []xds.SlotState{{Name: "graft/web", Wanted: wanted, Acked: wanted}}},
		{
			Slots:    []xds.SlotState{{Name: "graft/web", Wanted: wanted, Refusal: &refusal}},
			Refusals: []xds.Refusal{{Type: snapshot.ListenerType, Name: "web", Revision: "l1", Text: "port in use", At: noon}},
		},
	} {
		p.Node, p.Group, p.Since = group.Node, group.Key, noon.Add(-time.Hour)
		p.Node.ID, p.Node.Traits.Version = string(rune('a'+len(w.proxies))), "1.40.0"
		w.proxies = append(w.proxies, p)
	}
}
