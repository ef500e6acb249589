package xds

import (
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/graft-xds/graft/snapshot"
)

// fresh subscribes to clusters and listeners first, as an Envoy does that has just started.
func (c *deltaClient) fresh() {
	c.Helper()
	c.subscribe(snapshot.ClusterType)
	c.takes("CDS")
	c.subscribe(snapshot.ListenerType)
	c.takes("LDS")
}

func TestDeltaWildcard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(cluster("x", "1"), cluster("y", "1"), route("r", "1"))
	c := w.delta("p")
	c.subscribe(snapshot.ClusterType)
	c.takes("CDS x@1 y@1")
	c.subscribe(snapshot.ListenerType) // nothing there: an answer ends the wait of a starting Envoy
	c.takes("LDS")
	c.subscribe(snapshot.RouteType) // no names: nothing, for this type
	c.silent()
	w.publish(cluster("x", "1"), cluster("y", "2"), cluster("z", "1"), route("r", "2"))
	c.takes("CDS y@2 z@1")
	w.publish(cluster("y", "2"), route("r", "2"))
	c.takes("CDS -x -z")
	c.silent()
}

func TestDeltaNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(route("r", "1"), route("s", "1"))
	c := w.delta("p")
	c.subscribe(snapshot.RouteType, "r", "nowhere")
	c.takes("RDS r@1 -nowhere") // what does not exist is said not to
	w.publish(route("r", "1"), route("s", "2"))
	c.silent()
	c.subscribe(snapshot.RouteType, "s")
	c.takes("RDS s@2")
	c.subscribe(snapshot.RouteType, "s") // a client may have forgotten
	c.takes("RDS s@2")
	c.unsubscribe(snapshot.RouteType, "s")
	c.heard()
	w.publish(route("r", "2"), route("s", "3"), route("nowhere", "1"))
	c.takes("RDS nowhere@1 r@2")
	c.subscribe(snapshot.RouteType, "s")
	c.takes("RDS s@3")
	w.publish(route("s", "3"), route("nowhere", "1"))
	c.takes("RDS -r")
	c.silent()
}

func TestDeltaWildcardAndNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(cluster("x", "1"), cluster("y", "1"))
	c := w.delta("p")
	c.subscribe(snapshot.ClusterType, "*", "x", "nowhere")
	c.takes("CDS x@1 y@1 -nowhere")
	c.unsubscribe(snapshot.ClusterType, "x") // it is still in the wildcard: say so
	c.takes("CDS x@1")
	c.subscribe(snapshot.ClusterType, "y")
	c.takes("CDS y@1")
	c.unsubscribe(snapshot.ClusterType, "*")
	c.heard()
	w.publish(cluster("x", "2"), cluster("y", "2"))
	c.takes("CDS y@2")
	c.silent()
}

func TestDeltaReconnectIsSentNothingThatItHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(cluster("x", "1"), cluster("y", "2"), listener("l", "1"), route("r", "1"), content("a", "1"), content("b", "2"))
	c := w.delta("p")
	c.resume(snapshot.ClusterType, map[string]string{"x": "1", "y": "1", "gone": "1"})
	c.takes("CDS y@2")
	c.takes("CDS -gone")
	c.resume(snapshot.ListenerType, map[string]string{"l": "1#3"}) // an earlier attempt of the same content
	c.resume(snapshot.RouteType, map[string]string{"r": "1"}, "r")
	c.resume(snapshot.ExtensionType, map[string]string{"a": "1", "b": "2#old"}, "a", "b")
	c.silent()
}

func TestStaleAndForeignNoncesAreNoAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1"))
	c := w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a")
	first := c.expect("ECDS a=1")
	c.nack(&discoveryv3.DeltaDiscoveryResponse{TypeUrl: snapshot.ExtensionType, Nonce: "77"}, "not about this")
	w.publish(content("a", "2"))
	c.silent() // the first is not answered yet
	c.ack(first)
	c.takes("ECDS a=2")
	c.nack(first, "late") // answered already
	c.silent()
	if got := w.server.Counters().Types[snapshot.ExtensionType]; got.NACKs != 0 || got.ACKs != 2 || got.Pushes != 2 {
		t.Errorf("counters: %+v", got)
	}
}

func TestUnknownTypesAreIgnoredWithinBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(cluster("x", "1"))
	c := w.delta("p")
	c.subscribe("type.googleapis.com/envoy.service.runtime.v3.Runtime", "rtds")
	c.subscribe(snapshot.ClusterType)
	c.takes("CDS x@1")
	for range maxStrange {
		c.subscribe("type.googleapis.com/envoy.service.runtime.v3.Runtime", "rtds")
	}
	w.eventually("the stream ends", func() bool { return len(w.server.Proxies()) == 0 })
}

func TestTooManyNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.MaxNames = 3 })
	w.plane()
	w.publish()
	c := w.delta("p")
	c.subscribe(snapshot.RouteType, "a", "b", "c")
	c.takes("RDS -a -b -c")
	c.subscribe(snapshot.RouteType, "d")
	w.eventually("the stream ends", func() bool { return len(w.server.Proxies()) == 0 })
}

func TestSeparateServiceServesOneType(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1"), cluster("x", "1"))
	c := w.deltaExtensions("p")
	c.send(&discoveryv3.DeltaDiscoveryRequest{ResourceNamesSubscribe: []string{"a"}}) // the type goes without saying
	c.takes("ECDS a=1#inc")
	w.publish(content("a", "2"), cluster("x", "2"))
	c.takes("ECDS a=2")
	c.subscribe(snapshot.ClusterType)
	if _, ok := <-c.in; ok {
		t.Fatal("a cluster from the extension service")
	}
	if err := c.stream.RecvMsg(&discoveryv3.DeltaDiscoveryResponse{}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("got %v", err)
	}
}
