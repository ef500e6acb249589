package test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/graft-xds/graft/admin"
)

// descriptions is a registry that only asks what there is.
type descriptions []string

func (d *descriptions) Register(c prometheus.Collector) error {
	found := make(chan *prometheus.Desc)
	go func() {
		c.Describe(found)
		close(found)
	}()
	for desc := range found {
		*d = append(*d, desc.String())
	}
	return nil
}

func (d *descriptions) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		_ = d.Register(c)
	}
}

func (d *descriptions) Unregister(prometheus.Collector) bool { return false }

// TestMetrics keeps docs/reference/metrics.md, and names as Prometheus recommends them.
func TestMetrics(t *testing.T) {
	var all descriptions
	admin.NewMetrics().Register(&all, nil, nil)
	slices.Sort(all)
	parts := regexp.MustCompile(`fqName: "([^"]*)", help: "(.*)", unit: "[^"]*", constLabels: \{\}, variableLabels: \{(.*)\}\}`)
	name := regexp.MustCompile(`^graft_[a-z]+(_[a-z]+)*$`)
	var out strings.Builder
	out.WriteString("# Metrics\n\n<!-- Made from the registry by \"make generate\". -->\n\nWhat `/metrics` on the admin port shows.\n\n" +
		"| Metric | Labels | What it counts |\n| --- | --- | --- |\n")
	for _, desc := range all {
		found := parts.FindStringSubmatch(desc)
		if found == nil {
			t.Fatalf("not understood: %s", desc)
		}
		if !name.MatchString(found[1]) {
			t.Errorf("%s: a name is graft_, then lower-case words", found[1])
		}
		if !strings.HasSuffix(found[2], ".") {
			t.Errorf("%s: the help is a sentence: %q", found[1], found[2])
		}
		labels := ""
		if found[3] != "" {
			labels = "`" + strings.ReplaceAll(found[3], ",", "`, `") + "`"
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", found[1], labels, found[2])
	}
	compare(t, "metrics.md", out.String())
}
