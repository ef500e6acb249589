// Package adsc shows that Istio's delta client (istio.io/istio/pkg/adsc) understands graft.
package adsc

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	lua "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"istio.io/istio/pkg/adsc"
	"istio.io/istio/pkg/backoff"
)

const (
	extensionType = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
	endpointType  = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
	routeType     = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
)

// arrival is a resource that the client was given.
type arrival struct {
	name, version, code string // code is the script of a filter
	event               adsc.Event
}

// run runs a client until the test ends. It connects again soon after it lost its server.
func run(t *testing.T, g *graft, options ...adsc.Option) {
	t.Helper()
	soon := backoff.NewExponentialBackOff(backoff.Option{InitialInterval: 20 * time.Millisecond, MaxInterval: 100 * time.Millisecond})
	client := adsc.NewDeltaWithBackoffPolicy(g.addresses[0], nil, soon, options...)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		client.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
}

// next waits for the next arrival.
func next(t *testing.T, in <-chan arrival) arrival {
	t.Helper()
	select {
	case a := <-in:
		return a
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	panic("unreachable")
}

// content is the part of a version that names the content; behind the sharp is an attempt.
func content(version string) string {
	before, _, _ := strings.Cut(version, "#")
	return before
}

// codeOf is the script in a slot that is not a chain: Istio's proxies have none.
func codeOf(packed *anypb.Any) string {
	filter := &lua.Lua{}
	if err := packed.UnmarshalTo(filter); err != nil {
		return err.Error()
	}
	return filter.GetDefaultSourceCode().GetInlineString()
}

// TestFilter follows a filter: first content, an edit, a refusal, and a graft that was killed. What comes next is always
// the next that should: nothing comes in between.
func TestFilter(t *testing.T) {
	g := startGraft(t, map[string]string{"f.yaml": script("first")})
	in := make(chan arrival, 100)
	run(t, g,
		adsc.Register(func(ctx adsc.HandlerContext, name, version string, resource *core.TypedExtensionConfig, event adsc.Event) {
			a := arrival{name, version, codeOf(resource.GetTypedConfig()), event}
			if strings.Contains(a.code, "bad") {
				ctx.Reject(errors.New("this is bad"))
			}
			in <- a
		}),
		adsc.Watch[*core.TypedExtensionConfig]("graft/web"),
	)
	expect := func(comment string) arrival {
		t.Helper()
		a := next(t, in)
		if a.name != "graft/web" || a.event != adsc.EventAdd || !strings.Contains(a.code, "-- "+comment) {
			t.Fatalf("got %+v, want %q", a, comment)
		}
		return a
	}
	expect("first")
	g.write("f.yaml", script("second"))
	second := expect("second")

	g.write("f.yaml", script("bad"))
	expect("bad")
	if good := expect("second"); good.version == second.version {
		t.Errorf("the last good filter came again under its version %s", good.version)
	}
	g.write("f.yaml", script("third"))
	third := expect("third")

	// This client tells nothing of what it has when it comes back, so it is sent all again: the same content, and what it
	// refused not even now.
	g.kill()
	g.start()
	if again := expect("third"); content(again.version) != content(third.version) {
		t.Errorf("after a restart of graft the version is %s, before it was %s", again.version, third.version)
	}
	g.kill()
	g.write("f.yaml", script("bad"))
	g.start()
	expect("second") // what was in force when that was refused
	g.write("f.yaml", script("fourth"))
	expect("fourth")
}

// proxy has one listener, with two declared slots.
const proxy = `
apiVersion: graft.dev/v1alpha1
kind: Proxy
metadata: {name: edge}
spec:
  listeners:
  - name: web
    address: 127.0.0.1:10000
    slots: 2
    routes: [{name: app, prefix: /, cluster: app}]
  clusters:
  - {name: app, endpoints: ["127.0.0.1:9001"]}
`

// TestEverything has a client that asks for all listeners and clusters, and for what they name.
func TestEverything(t *testing.T) {
	g := startGraft(t, map[string]string{"f.yaml": script("first"), "proxy.yaml": proxy})
	in := make(chan arrival, 100)
	run(t, g,
		adsc.Register(func(ctx adsc.HandlerContext, name, version string, l *listener.Listener, event adsc.Event) {
			in <- arrival{"listener " + name, version, "", event}
			manager := &hcm.HttpConnectionManager{}
			if event == adsc.EventDelete || l.GetFilterChains()[0].GetFilters()[0].GetTypedConfig().UnmarshalTo(manager) != nil {
				return
			}
			ctx.RegisterDependency(routeType, manager.GetRds().GetRouteConfigName())
			for _, filter := range manager.GetHttpFilters() {
				if filter.GetConfigDiscovery() != nil {
					ctx.RegisterDependency(extensionType, filter.GetName())
				}
			}
		}),
		adsc.Register(func(ctx adsc.HandlerContext, name, version string, _ *cluster.Cluster, event adsc.Event) {
			in <- arrival{"cluster " + name, version, "", event}
			ctx.RegisterDependency(endpointType, name)
		}),
		adsc.Register(func(_ adsc.HandlerContext, name, version string, _ *endpoint.ClusterLoadAssignment, event adsc.Event) {
			in <- arrival{"endpoints " + name, version, "", event}
		}),
		adsc.Register(func(_ adsc.HandlerContext, name, version string, _ *route.RouteConfiguration, event adsc.Event) {
			in <- arrival{"routes " + name, version, "", event}
		}),
		adsc.Register(func(_ adsc.HandlerContext, name, version string, _ *core.TypedExtensionConfig, event adsc.Event) {
			in <- arrival{"slot " + name, version, "", event}
		}),
		adsc.Watch[*cluster.Cluster]("*"),
		adsc.Watch[*listener.Listener]("*"),
	)
	await := func(want ...string) {
		t.Helper()
		missing := map[string]bool{}
		for _, name := range want {
			missing[name] = true
		}
		for len(missing) > 0 {
			a := next(t, in)
			name := a.name
			if a.event == adsc.EventDelete {
				name = "no " + name
			}
			if !missing[name] {
				t.Fatalf("got %q, still want %v", name, missing)
			}
			delete(missing, name)
		}
	}
	await("cluster app", "endpoints app", "listener web", "routes web", "slot graft/web/1-of-2", "slot graft/web/2-of-2")
	g.write("proxy.yaml", strings.ReplaceAll(proxy, "9001", "9002"))
	await("endpoints app")
	g.write("f.yaml", script("second"))
	await("slot graft/web/1-of-2")
	g.write("proxy.yaml", proxy+`  - {name: more, endpoints: ["127.0.0.1:9003"]}`+"\n")
	await("endpoints app", "cluster more", "endpoints more")
	g.write("proxy.yaml", proxy)
	await("no cluster more", "no endpoints more")
}
