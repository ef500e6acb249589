// Package admin is graft's HTTP face: status, metrics, health, and what proxies would get.
package admin

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/xds"
)

// Options say where the answers come from. All are needed, and must be safe from any goroutine.
type Options struct {
	State   func() *plane.State // nil before the first publish
	Proxies func() []xds.Proxy
	Metrics prometheus.Gatherer
	Logger  *zap.Logger
}

// Handler serves /status, /render, /modules, /metrics, /healthz and /readyz. It only reads.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		o.answer(w, plane.StatusOf(o.State(), o.Proxies()))
	})
	mux.HandleFunc("GET /render", o.render)
	mux.HandleFunc("GET /modules", func(w http.ResponseWriter, _ *http.Request) {
		o.answer(w, plane.ModulesOf(o.State()))
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.Metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", o.ready)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "graft: /status /render /modules /metrics /healthz /readyz")
	})
	return mux
}

// ready is yes once there is something to serve: until every source was read, a proxy would be told too little.
func (o Options) ready(w http.ResponseWriter, _ *http.Request) {
	if o.State() == nil {
		http.Error(w, "not ready: the configuration has not been read yet", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// render shows what each group of connected proxies gets; without proxies, what one example of each Proxy would get.
func (o Options) render(w http.ResponseWriter, _ *http.Request) {
	state := o.State()
	if state == nil {
		o.ready(w, nil)
		return
	}
	rendered, err := plane.RenderState(state, o.Proxies())
	if err != nil {
		o.Logger.Error("cannot print the configuration", zap.Error(err))
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	o.answer(w, rendered)
}

func (o Options) answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		o.Logger.Debug("the reader of an answer went away", zap.Error(err))
	}
}
