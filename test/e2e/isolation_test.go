package e2e

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/test/envoytest"
	"github.com/graft-xds/graft/test/filters"
)

// tap passes connections on to a server and counts what the server sends.
type tap struct {
	Address string
	sent    atomic.Int64
}

func startTap(tb testing.TB, server string) *tap {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	t := &tap{Address: l.Addr().String()}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go t.pass(client, server)
		}
	}()
	return t
}

func (t *tap) pass(client net.Conn, server string) {
	defer func() { _ = client.Close() }()
	upstream, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer func() { _ = upstream.Close() }()
	go func() { _, _ = io.Copy(upstream, client); _ = upstream.Close() }()
	buf := make([]byte, 32<<10)
	for {
		n, err := upstream.Read(buf)
		t.sent.Add(int64(n))
		if _, werr := client.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

// clusterFilter is a filter for the proxies of one cluster.
func clusterFilter(cluster, value string) string {
	return wasmFilter(cluster, "a.wasm", value, 0) + fmt.Sprintf("  targets: [{nodes: {cluster: %s}}]\n", cluster)
}

// TestIsolation has two proxies of different clusters with different filters: an edit for one sends not a byte to the
// other, nor does an edit that means nothing.
func TestIsolation(t *testing.T) {
	ports := envoytest.Ports(t, 2)
	document := func(cluster string, port int) string {
		text := strings.ReplaceAll(proxyDocument(port, "127.0.0.1:9"), "cluster: edge}", "cluster: "+cluster+"}")
		return strings.ReplaceAll(text, "name: edge}", "name: "+cluster+"}")
	}
	g := newGraft(t, map[string]string{
		"a.wasm": string(filters.Configurable()),
		"a.yaml": document("a", ports[0]), "b.yaml": document("b", ports[1]),
		"fa.yaml": clusterFilter("a", "for-a"), "fb.yaml": clusterFilter("b", "for-b"),
	})
	wire := startTap(t, g.XDS)
	g.Envoy("1.40", "a-1", "a")
	g.Envoy("1.40", "b-1", "b", "--xds", wire.Address)
	g.AwaitStatus("both proxies run theirs", func(s plane.Status) error {
		for _, f := range s.Filters {
			if f.Targeted != 1 || f.Acked != 1 {
				return fmt.Errorf("%s: targeted %d, acked %d", f.Name, f.Targeted, f.Acked)
			}
		}
		return nil
	})
	hello := func(port int) string {
		return get(t, fmt.Sprintf("http://127.0.0.1:%d/hi", port)).Header.Get("hello")
	}
	if a, b := hello(ports[0]), hello(ports[1]); a != "for-a" || b != "for-b" {
		t.Fatalf("a answers %q, b answers %q", a, b)
	}
	before := wire.sent.Load()
	for i := range 5 {
		want := fmt.Sprintf("edit-%d", i)
		g.Write("fa.yaml", clusterFilter("a", want))
		envoytest.Eventually(t, patience, "the edit is in force", func() error {
			if got := hello(ports[0]); got != want {
				return fmt.Errorf("hello: %q", got)
			}
			return nil
		})
		g.Write("fb.yaml", clusterFilter("b", "for-b")+fmt.Sprintf("# comment %d\n", i))
	}
	if after := wire.sent.Load(); after != before {
		t.Errorf("edits for a sent %d bytes to b", after-before)
	}
	if got := hello(ports[1]); got != "for-b" {
		t.Errorf("b answers %q", got)
	}
}

// TestFirstContact has an Envoy that graft has never seen meet a module of 2 MB, and one that Envoy refuses: it never
// answers 500, and the broken one does not let traffic by.
func TestFirstContact(t *testing.T) {
	for _, c := range []struct {
		name, filter string
		want         int
		hello        string
	}{
		{"large module", `{module: ./large.wasm, config: {response: {headers: {hello: big}}}}`, 200, "big"},
		{"refused configuration", `{module: ./a.wasm, config: fail}`, 403, ""},
		{"good module", `{module: ./a.wasm, config: melon}`, 200, "melon"},
	} {
		for _, slots := range []string{"chain", "declared"} {
			t.Run(c.name+" "+slots, func(t *testing.T) {
				port := envoytest.Ports(t, 1)[0]
				g := newGraft(t, map[string]string{
					"a.wasm": string(filters.Configurable()), "large.wasm": string(readFile(t, filters.Multi(t))),
					"proxy.yaml": proxyDocument(port, "127.0.0.1:9"),
					"f.yaml":     "apiVersion: graft.dev/v1alpha1\nkind: Filter\nmetadata: {name: f}\nspec:\n  wasm: " + c.filter + "\n",
				})
				url := fmt.Sprintf("http://127.0.0.1:%d/hi", port)
				statuses := make(chan int, 1<<16)
				stop := make(chan struct{})
				done := make(chan struct{})
				go func() {
					defer close(done)
					for {
						select {
						case <-stop:
							return
						default:
						}
						if a := get(t, url); a.Err == nil {
							statuses <- a.Status
						}
					}
				}()
				g.Envoy("1.40", "edge-1", "edge", "--slots", slots)
				envoytest.Eventually(t, patience, "the answer is as it should be", func() error {
					if a := get(t, url); a.Status != c.want || a.Header.Get("hello") != c.hello {
						return fmt.Errorf("status %d, hello %q", a.Status, a.Header.Get("hello"))
					}
					return nil
				})
				close(stop)
				<-done
				close(statuses)
				for status := range statuses {
					if status != c.want {
						t.Fatalf("an answer with status %d", status)
					}
				}
			})
		}
	}
}
