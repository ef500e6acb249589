package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/graft-xds/graft/test/envoytest"
	"github.com/graft-xds/graft/test/filters"
)

// TestUnreachableModuleServer has a proxy that cannot fetch modules, with a filter that asks for it: once no fetch came, it
// is sent inline, and each further edit at once. No request fails, or goes by without a filter.
func TestUnreachableModuleServer(t *testing.T) {
	t.Parallel() // it mostly waits
	ports := envoytest.Ports(t, 2)
	g := newGraft(t, map[string]string{
		"proxy.yaml": proxyDocument(ports[0], "127.0.0.1:9"), "large.wasm": string(readFile(t, filters.Multi(t))),
		"x.yaml": luaFilter("x", "filtered", 0),
	}, "--modules-advertise", fmt.Sprintf("127.0.0.1:%d", ports[1]))
	envoy := g.Envoy("1.40", "edge-1", "edge")
	g.AwaitAcked()
	load := envoytest.StartLoad(t, envoytest.LoadOptions{
		URL: fmt.Sprintf("http://127.0.0.1:%d/hi", ports[0]), Connections: 2, Pause: 20 * time.Millisecond,
		Check: func(a envoytest.Answer) error {
			if a.Header.Get("order") != "filtered" {
				return fmt.Errorf("without the filter: %v", a.Header)
			}
			return nil
		},
	})
	for _, value := range []string{"one", "two"} {
		wait := load.Watch(func(a envoytest.Answer) bool { return a.Header.Get("hello") == value })
		g.Write("large.yaml", largeFilter(value, "http"))
		ctx, cancel := context.WithTimeout(t.Context(), 3*patience) // graft waits for a fetch for as long as patience
		_, err := wait(ctx)
		cancel()
		if err != nil {
			t.Fatalf("hello: %s did not come: %v\nstatus: %+v", value, err, g.Status())
		}
	}
	for _, f := range g.AwaitAcked().Filters {
		if len(f.Refusals) > 0 {
			t.Errorf("%s stands refused: %+v", f.Name, f.Refusals)
		}
	}
	if refused := total(t, g, "graft_xds_nacks_total"); refused != 1 {
		t.Errorf("%v pushes were refused: only the first edit is to be fetched", refused)
	}
	unharmed(t, load)
	untouched(t, envoy)
}
