package e2e

import (
	"fmt"
	"testing"

	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/test/bench/fleet"
	"github.com/graft-xds/graft/test/envoytest"
)

// TestReconnectStorm kills graft under many streams and starts it again: all come back at once, none is sent a byte of
// payload, and each is served the next edit. `make bench` does it with more.
func TestReconnectStorm(t *testing.T) {
	const proxies = 500
	g := newGraft(t, map[string]string{"proxy.yaml": proxyDocument(envoytest.Ports(t, 1)[0], "127.0.0.1:9"), "x.yaml": luaFilter("x", "first", 0)})
	f := fleet.New(1 << 30)
	t.Cleanup(f.Leave)
	connect := fleet.Connect{Addr: g.XDS, Cluster: "edge", Count: proxies, Names: []string{"graft/web"}}
	if _, err := f.Connect(t.Context(), connect); err != nil {
		t.Fatal(err)
	}
	taken(t, g, f, proxies)

	g.Kill()
	f.Leave()
	g.Start()
	f.Mark()
	connect.Known = true
	if _, err := f.Connect(t.Context(), connect); err != nil {
		t.Fatal(err)
	}
	taken(t, g, f, proxies)
	if r := f.Report(); r.Proxies != proxies || r.Failed != 0 || r.Responses != 0 || r.Payload != 0 {
		t.Errorf("%d of %d streams are back, %d failed (%s); they were sent %d responses with %d bytes",
			r.Proxies, proxies, r.Failed, r.Failure, r.Responses, r.Payload)
	}

	g.Write("x.yaml", luaFilter("x", "second", 0))
	g.AwaitStatus("the edit goes out", func(plane.Status) error {
		if r := f.Report(); r.Responses != proxies {
			return fmt.Errorf("%d responses", r.Responses)
		}
		return nil
	})
	taken(t, g, f, proxies)
}

// taken waits until graft counts every proxy as one that runs the newest chain, and asks the proxies too.
func taken(t *testing.T, g *graft, f *fleet.Fleet, proxies int) {
	t.Helper()
	s := g.AwaitStatus("all proxies run the newest", func(s plane.Status) error {
		if len(s.Filters) != 1 || len(s.Filters[0].Revisions) != 1 || len(s.Proxies) != proxies {
			return fmt.Errorf("%d proxies, filters %+v", len(s.Proxies), s.Filters)
		}
		if x := s.Filters[0]; !x.Newest || x.Targeted != proxies || x.Acked != proxies {
			return fmt.Errorf("%+v", x)
		}
		return nil
	})
	versions := map[string]string{"graft/web": s.Filters[0].Revisions[0]}
	if _, err := f.Await(t.Context(), versions, patience); err != nil {
		t.Fatal(err)
	}
}
