package e2e

import (
	"context"
	"fmt"
	"testing"

	"github.com/graft-xds/graft/test/envoytest"
	"github.com/graft-xds/graft/test/filters"
)

// largeFilter adds the response header `hello: <value>` by a module of some megabytes.
func largeFilter(value, delivery string) string {
	return fmt.Sprintf(`
apiVersion: graft.dev/v1alpha1
kind: Filter
metadata: {name: large}
spec:
  wasm:
    module: ./large.wasm
    config: {response: {headers: {hello: %q}}}
    delivery: %s
`, value, delivery)
}

// TestDelivery brings a large module to a proxy that has a chain already, in each way, under load: how many bytes go over
// xDS shows the way, and no request fails while the proxy fetches.
func TestDelivery(t *testing.T) {
	const small = 256 << 10
	for _, c := range []struct {
		delivery, slots string
		inline          bool
		fetches         bool
	}{
		{"auto", "chain", false, true},
		{"auto", "declared", false, true},
		{"http", "chain", false, true},
		{"file", "chain", false, false},
		{"inline", "chain", true, false},
	} {
		t.Run(c.delivery+" "+c.slots, func(t *testing.T) {
			port := envoytest.Ports(t, 1)[0]
			g := newGraft(t, map[string]string{
				"proxy.yaml": proxyDocument(port, "127.0.0.1:9"),
				"large.wasm": string(readFile(t, filters.Multi(t))),
			})
			wire := startTap(t, g.XDS)
			envoy := g.Envoy("1.40", "edge-1", "edge", "--xds", wire.Address, "--slots", c.slots)
			load := envoytest.StartLoad(t, envoytest.LoadOptions{URL: fmt.Sprintf("http://127.0.0.1:%d/hi", port)})
			for _, value := range []string{"one", "two"} {
				before := wire.sent.Load()
				saveAndSee(t, g, load, "large.yaml", largeFilter(value, c.delivery), value)
				g.AwaitAcked()
				if sent := wire.sent.Load() - before; c.inline != (sent > small) {
					t.Errorf("%s: %d bytes over xDS", value, sent)
				}
			}
			fetched, err := envoy.Stat("cluster.graft-modules.upstream_rq_200")
			if err != nil {
				t.Fatal(err)
			}
			// Once, as a rule; a machine that is busy may need longer for the last bytes than graft waits before it pushes again.
			if fetches := fetched > 0; fetches != c.fetches || fetched > 3 {
				t.Errorf("the proxy fetched %d times", fetched)
			}
			if totals := load.Stop(); totals.Failures > 0 || totals.Closes > 0 {
				t.Errorf("failed requests or closed connections: %s %q", totals, totals.Errors)
			}
		})
	}
}

// saveAndSee saves a document and waits for the first answer with `hello: <value>`.
func saveAndSee(t *testing.T, g *graft, load *envoytest.Load, file, text, value string) {
	t.Helper()
	wait := load.Watch(func(a envoytest.Answer) bool { return a.Err == nil && a.Header.Get("hello") == value })
	g.Write(file, text)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := wait(ctx); err != nil {
		t.Fatalf("hello: %s did not come: %v\nstatus: %+v", value, err, g.Status())
	}
}
