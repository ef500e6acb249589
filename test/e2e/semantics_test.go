package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/graft-xds/graft/test/envoytest"
	"github.com/graft-xds/graft/test/filters"
)

// semPatience is longer than patience: an Envoy configures more than a hundred plugins here.
const semPatience = 3 * time.Minute

// A chain behaves as the same filters listed one by one in the connection manager, on every supported Envoy and in
// both kinds of slot. One Envoy has the listed filters and the chain, so that nothing else differs.
func TestChainBehavesAsFiltersOneByOne(t *testing.T) {
	module := filters.Multi(t)
	for _, row := range []struct{ name, version, slots string }{
		{"1.40 chain slot", "1.40", "chain"},
		{"1.40 declared slots", "1.40", "declared"},
		{"1.39 chain slot", "1.39", "chain"},
		{"1.39 declared slots", "1.39", "declared"},
		{"1.37 declared slots", "1.37", "declared"},
	} {
		t.Run(row.name, func(t *testing.T) {
			upstream := envoytest.StartUpstream(t)
			proxy := semProxy{cases: semCases(), module: module}
			proxy.ports = envoytest.Ports(t, len(proxy.cases)*semVariants)
			envoy := proxy.start(t, row.version, row.slots, upstream.Address)
			for at, c := range proxy.cases {
				t.Run(c.name, func(t *testing.T) {
					for _, http2 := range []bool{false, true} {
						t.Run(map[bool]string{false: "HTTP/1.1", true: "HTTP/2"}[http2], func(t *testing.T) {
							proxy.compare(t, envoy, upstream, at, http2)
						})
					}
				})
			}
		})
	}
}

// start starts graft and an Envoy with all listeners, and waits until each answers.
func (p semProxy) start(t *testing.T, version, slots, upstream string) *envoytest.Envoy {
	t.Helper()
	binary := envoytest.Binary(t, version)
	g := newGraft(t, map[string]string{"graft.yaml": p.documents(t, upstream)})
	text, code := g.Run("bootstrap", "--xds", g.XDS, "--node-id", "semantics", "--node-cluster", "edge", "--slots", slots)
	if code != 0 {
		t.Fatalf("graft bootstrap: %s", text)
	}
	envoy := envoytest.Start(t, envoytest.Options{Binary: binary, Bootstrap: p.bootstrap(t, text)})
	envoytest.Eventually(t, semPatience, "all filters are acked", func() error {
		for _, f := range g.Status().Filters {
			if !f.Newest || f.Targeted == 0 || f.Acked != f.Targeted {
				return fmt.Errorf("filter %s: targeted %d, acked %d, problems %q", f.Name, f.Targeted, f.Acked, f.Problems)
			}
		}
		return nil
	})
	return envoy
}

// compare makes the request of a case on every variant. Each has to do what the case says, and what the listed one does.
func (p semProxy) compare(t *testing.T, envoy *envoytest.Envoy, upstream *envoytest.Upstream, at int, http2 bool) {
	listed := p.observe(t, envoy, upstream, at, semListed, http2)
	if err := listed.meets(p.cases[at]); err != nil {
		t.Fatalf("one by one: %v\n%+v", err, listed)
	}
	for _, variant := range []int{semSlot, semRoute} {
		if diff := cmp.Diff(listed, p.observe(t, envoy, upstream, at, variant, http2)); diff != "" {
			t.Errorf("%s differs from one by one (-listed +chain):\n%s", semListener(at, variant), diff)
		}
	}
}

// outcome is all that a client and an upstream can see of one request.
type outcome struct {
	Status   int
	Headers  http.Header // ours
	Body     string      // length and hash
	Cut      string      // how an answer that was cut off ended
	Trailers http.Header
	Upstream []semSeen
	Counts   map[string]string // of the filters that count, by their place
}

// semSeen is what the upstream saw.
type semSeen struct {
	Path     string
	Headers  http.Header // ours
	Trailers http.Header
	Body     string // length and hash
}

func (o outcome) meets(c semCase) error {
	up := "-"
	if len(o.Upstream) > 0 {
		up = strings.Join(o.Upstream[0].Headers["X-F"], " ")
	}
	down := strings.Join(o.Headers["X-F"], " ")
	switch {
	case o.Status != c.status:
		return fmt.Errorf("status %d, want %d", o.Status, c.status)
	case up != c.up:
		return fmt.Errorf("the upstream saw x-f %q, want %q", up, c.up)
	case down != c.down:
		return fmt.Errorf("x-f is %q, want %q", down, c.down)
	case c.body != "" && o.Body != summary([]byte(c.body)):
		return fmt.Errorf("body %s, want %s", o.Body, summary([]byte(c.body)))
	}
	return nil
}

// observe makes the request of a case on a connection of its own.
func (p semProxy) observe(t *testing.T, envoy *envoytest.Envoy, upstream *envoytest.Upstream, at, variant int, http2 bool) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), semPatience)
	defer cancel()
	name := t.Name() + "/" + semListener(at, variant)
	address := fmt.Sprintf("127.0.0.1:%d", p.port(at, variant))
	before := p.counts(t, envoy, at, variant)
	conn, err := envoytest.Dial(ctx, address, http2)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	resp, err := conn.RoundTrip(p.cases[at].request.build(ctx, t, address, name))
	if err != nil {
		t.Fatalf("%s: %v", semListener(at, variant), err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	o := outcome{Status: resp.StatusCode, Headers: ours(resp.Header), Body: summary(body), Trailers: ours(resp.Trailer)}
	if err != nil {
		o.Body, o.Cut = "", semCut(err) // where it was cut is a matter of timing
	}
	for _, seen := range upstream.Saw(name) {
		o.Upstream = append(o.Upstream, semSeen{
			Path: seen.Path, Headers: ours(seen.Headers), Trailers: ours(seen.Trailers), Body: fmt.Sprintf("%d bytes, %s", seen.Length, seen.SHA256[:16]),
		})
	}
	o.Counts = semGrowth(before, p.counts(t, envoy, at, variant))
	return o
}

// build makes the request. A body of unknown length lets trailers follow.
func (r semRequest) build(ctx context.Context, t *testing.T, address, name string) *http.Request {
	t.Helper()
	method, body := http.MethodGet, io.Reader(nil)
	if r.body != "" {
		method, body = http.MethodPost, bytes.NewReader([]byte(r.body))
	}
	if r.trailers != nil {
		body = io.MultiReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+address+r.path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Trailer = r.trailers.Clone()
	req.Header.Set(envoytest.CaseHeader, name)
	return req
}

// counts reads the stats of the filters that count.
func (p semProxy) counts(t *testing.T, envoy *envoytest.Envoy, at, variant int) map[string]int64 {
	t.Helper()
	counts := map[string]int64{}
	for i, f := range p.cases[at].filters {
		if f.wasm == nil || f.wasm.Count == "" {
			continue
		}
		for _, what := range []string{"request.bytes", "request.ends", "response.bytes", "response.ends"} {
			n, err := envoy.Stat("wasmcustom." + p.stat(at, variant, i) + "." + what)
			if err != nil {
				t.Fatal(err)
			}
			counts[fmt.Sprintf("%d.%s", i, what)] = n
		}
	}
	return counts
}

func semGrowth(before, after map[string]int64) map[string]string {
	growth := map[string]string{}
	for name, n := range after {
		growth[name] = fmt.Sprint(n - before[name])
	}
	return growth
}

// ours are the headers that the filters set.
func ours(h http.Header) http.Header {
	kept := http.Header{}
	for name, values := range h {
		switch name {
		case "X-F", "X-Callout", "X-Reply", "X-T", "X-U":
			kept[name] = values
		}
	}
	return kept
}

func summary(body []byte) string {
	hash := sha256.Sum256(body)
	return fmt.Sprintf("%d bytes, %s", len(body), hex.EncodeToString(hash[:])[:16])
}

// semCut is the part of an error that does not depend on timing.
func semCut(err error) string {
	if text := err.Error(); strings.Contains(text, "INTERNAL_ERROR") {
		return "reset"
	}
	return "cut off"
}
