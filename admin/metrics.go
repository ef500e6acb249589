package admin

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/xds"
)

// Server is what the metrics want to know of the xDS server.
type Server interface {
	Proxies() []xds.Proxy
	Counters() xds.Counters
}

// Metrics are graft's own measurements: stages of publishes as they happen, everything else when it is asked for.
type Metrics struct {
	stages *prometheus.HistogramVec
}

// NewMetrics makes them; Register shows them.
func NewMetrics() *Metrics {
	return &Metrics{stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "graft_publish_stage_seconds",
		Help:    "How long each stage of a publish took: parse, modules, build, publish.",
		Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9),
	}, []string{"stage"})}
}

// Observe takes the timing of one publish.
func (m *Metrics) Observe(t plane.Timing) {
	m.stages.WithLabelValues("parse").Observe(t.Parse.Seconds())
	m.stages.WithLabelValues("modules").Observe(t.Modules.Seconds())
	m.stages.WithLabelValues("build").Observe(t.Build.Seconds())
	m.stages.WithLabelValues("publish").Observe(t.Publish.Seconds())
}

// Register adds all metrics of graft to registry.
func (m *Metrics) Register(registry prometheus.Registerer, state func() *plane.State, server Server) {
	registry.MustRegister(m.stages, newCollector(state, server))
}

// collector counts at the moment of a scrape.
type collector struct {
	state  func() *plane.State
	server Server

	proxies, problems, filters, ready, streams, pushes, acks, nacks, bytes *prometheus.Desc
}

func newCollector(state func() *plane.State, server Server) *collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &collector{
		state: state, server: server,
		ready:    desc("graft_ready", "1 once the configuration was read and published."),
		proxies:  desc("graft_proxies", "Connected proxies."),
		problems: desc("graft_problems", "Problems that stand, by code.", "code"),
		filters:  desc("graft_filter_proxies", "Proxies that a filter is for, by what became of it there.", "filter", "state"),
		streams:  desc("graft_xds_streams", "Open xDS streams, by protocol: delta or sotw.", "protocol"),
		pushes:   desc("graft_xds_pushes_total", "Responses sent, by resource type.", "type"),
		acks:     desc("graft_xds_acks_total", "Responses that proxies accepted, by resource type.", "type"),
		nacks:    desc("graft_xds_nacks_total", "Responses that proxies refused, by resource type.", "type"),
		bytes:    desc("graft_xds_sent_bytes_total", "Bytes of responses sent, before framing, by resource type.", "type"),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.ready, c.proxies, c.problems, c.filters, c.streams, c.pushes, c.acks, c.nacks, c.bytes,
	} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	state, ready := c.state(), 0.0
	filters, proxies := plane.FiltersOf(state, c.server.Proxies())
	codes := map[snapshot.Code]float64{}
	if state != nil {
		ready = 1
		for _, p := range state.Problems {
			codes[p.Code]++
		}
	}
	gauge(c.ready, ready)
	gauge(c.proxies, float64(proxies))
	for code, n := range codes {
		gauge(c.problems, n, string(code))
	}
	for _, f := range filters {
		gauge(c.filters, float64(f.Acked), f.Name, "acked")
		gauge(c.filters, float64(f.Nacked), f.Name, "nacked")
		gauge(c.filters, float64(f.Pending), f.Name, "pending")
	}
	c.collectStreams(out, gauge)
}

func (c *collector) collectStreams(out chan<- prometheus.Metric, gauge func(*prometheus.Desc, float64, ...string)) {
	counters := c.server.Counters()
	gauge(c.streams, float64(counters.DeltaStreams), "delta")
	gauge(c.streams, float64(counters.Streams-counters.DeltaStreams), "sotw")
	for typeURL, n := range counters.Types {
		name := typeURL[strings.LastIndexByte(typeURL, '.')+1:]
		for _, one := range []struct {
			desc  *prometheus.Desc
			value uint64
		}{{c.pushes, n.Pushes}, {c.acks, n.ACKs}, {c.nacks, n.NACKs}, {c.bytes, n.Bytes}} {
			out <- prometheus.MustNewConstMetric(one.desc, prometheus.CounterValue, float64(one.value), name)
		}
	}
}
