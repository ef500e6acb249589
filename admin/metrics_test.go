package admin

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/xds"
)

func busyWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld()
	w.publish(t)
	w.connect()
	w.counters = xds.Counters{Streams: 3, DeltaStreams: 2, Types: map[string]xds.TypeCounters{
		snapshot.ExtensionType: {Pushes: 5, ACKs: 3, NACKs: 2, Bytes: 1000}, snapshot.ListenerType: {Pushes: 1},
	}}
	w.metrics.Observe(plane.Timing{Parse: time.Millisecond, Modules: time.Second, Build: 2 * time.Millisecond, Publish: 3 * time.Millisecond})
	return w
}

// TestMetrics reads /metrics as Prometheus does.
func TestMetrics(t *testing.T) {
	got := map[string]string{}
	for line := range strings.Lines(busyWorld(t).ask(t, http.MethodGet, "/metrics").Body.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok {
			got[name+"}"] = value
		} else if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			got[name] = value
		}
	}
	want := map[string]string{
		"graft_ready":                                      "1",
		"graft_proxies":                                    "2",
		`graft_problems{code="not-wasm"}`:                  "1",
		`graft_xds_streams{protocol="delta"}`:              "2",
		`graft_xds_streams{protocol="sotw"}`:               "1",
		`graft_publish_stage_seconds_count{stage="parse"}`: "1",
		`graft_publish_stage_seconds_sum{stage="modules"}`: "1",
		`graft_publish_stage_seconds_sum{stage="build"}`:   "0.002",
		`graft_publish_stage_seconds_sum{stage="publish"}`: "0.003",
	}
	for filter, counts := range map[string][3]int{"melon": {1, 1, 0}, "plum": {1, 1, 0}, "lemon": {0, 1, 1}} {
		for i, state := range []string{"acked", "nacked", "pending"} {
			want[fmt.Sprintf(`graft_filter_proxies{filter="default/%s",state=%q}`, filter, state)] = fmt.Sprint(counts[i])
		}
	}
	for name, values := range map[string][2]int{"pushes": {5, 1}, "acks": {3, 0}, "nacks": {2, 0}, "sent_bytes": {1000, 0}} {
		want[fmt.Sprintf(`graft_xds_%s_total{type="TypedExtensionConfig"}`, name)] = fmt.Sprint(values[0])
		want[fmt.Sprintf(`graft_xds_%s_total{type="Listener"}`, name)] = fmt.Sprint(values[1])
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s is %q, want %q", name, got[name], want[name])
		}
	}
}

// TestMetricsBeforeTheFirstPublish: a scrape may come at any time.
func TestMetricsBeforeTheFirstPublish(t *testing.T) {
	text := newWorld().ask(t, http.MethodGet, "/metrics").Body.String()
	for _, line := range []string{"\ngraft_ready 0\n", "\ngraft_proxies 0\n"} {
		if !strings.Contains(text, line) {
			t.Errorf("%q is not in\n%s", line, text)
		}
	}
}

// TestMetricsAreNamedAsPrometheusRecommends asks its own linter.
func TestMetricsAreNamedAsPrometheusRecommends(t *testing.T) {
	families, err := busyWorld(t).registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]promlint.Problem(nil), problems); diff != "" {
		t.Error(diff)
	}
	if len(families) != 10 {
		t.Errorf("%d families of 10 were seen", len(families))
	}
}
