package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/test/envoytest"
	"github.com/graft-xds/graft/test/filters"
)

// TestAnEnvoyStartsWhileAnEditStandsRefused: graft knows the last good content only by the bytes that an earlier graft left,
// and the Envoy that refused the edit starts anew. It serves the last good, not a deny.
func TestAnEnvoyStartsWhileAnEditStandsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
	}{{"chain slot", nil}, {"declared slots", []string{"--slots", "declared"}}} {
		t.Run(c.name, func(t *testing.T) {
			upstream := envoytest.StartUpstream(t)
			port := envoytest.Ports(t, 1)[0]
			g := newGraft(t, map[string]string{
				"proxy.yaml": proxyDocument(port, upstream.Address), "a.wasm": string(filters.Configurable()),
				"melon.yaml": wasmFilter("melon", "a.wasm", "good", 0),
			})
			first := g.Envoy("1.40", "edge-1", "edge", c.args...)
			g.AwaitAcked()
			g.Write("melon.yaml", wasmFilter("melon", "a.wasm", "fail", 0))
			g.AwaitStatus("the edit is refused", func(s plane.Status) error {
				if len(s.Filters) != 1 || s.Filters[0].Nacked != 1 {
					return fmt.Errorf("filters %+v", s.Filters)
				}
				return nil
			})
			first.Kill()
			g.Kill()
			g.Start()
			g.Envoy("1.40", "edge-1", "edge", c.args...)
			url := fmt.Sprintf("http://127.0.0.1:%d/hi", port)
			envoytest.Eventually(t, patience, "the new Envoy serves the last good", func() error {
				a := get(t, url)
				if a.Err != nil {
					return a.Err
				}
				if a.Status == http.StatusOK && a.Header.Get("hello") == "good" {
					return nil
				}
				return errors.New(fmt.Sprint(a.Status, a.Header))
			})
			g.Write("melon.yaml", wasmFilter("melon", "a.wasm", "mended", 0))
			envoytest.Eventually(t, patience, "the next good edit lands", func() error {
				if a := get(t, url); a.Err != nil || a.Header.Get("hello") != "mended" {
					return errors.New(fmt.Sprint(a.Err, a.Status, a.Header))
				}
				return nil
			})
		})
	}
}
