package xds

import (
	"context"
	"slices"
	"testing"

	client "github.com/envoyproxy/go-control-plane/pkg/client/sotw/v3"

	"github.com/graft-xds/graft/snapshot"
)

func (c *sotwClient) fresh() {
	c.Helper()
	c.subscribe(snapshot.ClusterType)
	c.takes("CDS")
	c.subscribe(snapshot.ListenerType)
	c.takes("LDS")
}

func TestSotwSlots(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1"), content("b", "1"))
	c := w.sotw("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a", "b")
	c.takes("ECDS a=1")
	c.takes("ECDS b=1") // one resource a response
	w.publish(content("a", "2"), content("b", "1"))
	c.takes("ECDS a=2")
	c.silent()
}

// A refusal of a SotW client carries the version before; a server that compares versions sends the same again for ever.
func TestSotwRefusalIsNotAnsweredWithTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1"), cluster("x", "1"))
	c := w.sotw("p")
	c.subscribe(snapshot.ClusterType)
	c.refuses("CDS x@1")
	c.silent()
	c.subscribe(snapshot.ListenerType)
	c.takes("LDS")
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=1")
	w.publish(content("a", "2"), cluster("x", "1"), cluster("y", "1"))
	c.takes("CDS y@1") // x was never taken, so there is nothing to put in its place
	c.refuses("ECDS a=2")
	c.takes("ECDS a=1#inc-2")
	c.silent()
	w.publish(content("a", "3"), cluster("x", "2"), cluster("y", "1"))
	c.takes("CDS x@2 y@1")
	c.takes("ECDS a=3")
	w.publish(content("a", "3"), cluster("x", "3"), cluster("y", "1"))
	c.nack(c.expect("CDS x@3 y@1"), "cluster x: no good")
	w.publish(content("a", "3"), cluster("x", "3"), cluster("y", "2"))
	c.takes("CDS x@2 y@2") // x as it was taken last: leaving it out would remove it
	c.silent()
}

func TestSotwMakeBeforeBreak(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(cluster("x", "1"), listener("l", "1"), listener("m", "1"))
	c := w.sotw("p")
	c.subscribe(snapshot.ClusterType)
	c.takes("CDS x@1")
	c.subscribe(snapshot.ListenerType)
	c.takes("LDS l@1 m@1")
	w.publish(cluster("y", "1"), listener("l", "2"))
	c.takes("CDS x@1 y@1")
	c.takes("LDS l@2")
	c.takes("CDS y@1")
	c.silent()
}

func TestSotwSubsetsSendWhatChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(endpoint("x", "1"), endpoint("y", "1"), endpoint("z", "1"))
	c := w.sotw("p")
	c.subscribe(snapshot.EndpointType, "x", "y", "nowhere")
	c.takes("EDS x@1 y@1")
	w.publish(endpoint("x", "1"), endpoint("y", "2"), endpoint("z", "2"))
	c.takes("EDS y@2")
	c.subscribe(snapshot.EndpointType, "x", "y", "z")
	c.takes("EDS z@2")
	w.publish(endpoint("x", "1"))
	c.silent() // for endpoints there is no removal in this protocol
}

func TestSotwUnsubscribeFromAllIsNotEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(endpoint("x", "1"), endpoint("y", "1"), cluster("x", "1"), cluster("y", "1"), content("a", "1"))
	c := w.sotw("p")
	c.subscribe(snapshot.ClusterType, "x")
	c.takes("CDS x@1")
	c.subscribe(snapshot.EndpointType, "x")
	c.takes("EDS x@1")
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=1")
	for _, typeURL := range []string{snapshot.ClusterType, snapshot.EndpointType, snapshot.ExtensionType} {
		c.subscribe(typeURL)
		c.takes(kindOf(typeURL)) // only a new version: that of nothing
	}
	w.publish(endpoint("x", "2"), endpoint("y", "2"), cluster("x", "2"), cluster("y", "2"), content("a", "2"))
	c.silent()
	c.subscribe(snapshot.EndpointType, "y")
	c.takes("EDS y@2")
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=2")
}

func TestSotwReconnect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	publish := func(a string) {
		w.publish(cluster("x", "1"), cluster("y", "1"), endpoint("x", "1"), listener("l", "1"), content("a", a), content("b", "1"))
	}
	publish("1")
	subscribe := func(c *sotwClient) {
		c.subscribe(snapshot.ClusterType)
		c.subscribe(snapshot.EndpointType, "x")
		c.subscribe(snapshot.ListenerType)
		c.subscribe(snapshot.ExtensionType, "a", "b")
	}
	c := w.sotw("p")
	subscribe(c)
	c.takes("CDS x@1 y@1")
	c.takes("EDS x@1")
	c.takes("LDS l@1")
	c.takes("ECDS a=1")
	c.takes("ECDS b=1")
	c.heard(w)

	c = c.again(w, "p")
	subscribe(c)
	c.silent() // it has everything
	publish("2")
	c.refuses("ECDS a=2#inc")
	c.takes("ECDS a=1#inc-2")
	c.heard(w)

	c = c.again(w, "p")
	subscribe(c)
	c.silent() // it has what it should have: the last good content

	publish("3")
	c.takes("ECDS a=3#inc")
	c.heard(w)
	c.version[snapshot.ExtensionType] = "something else"
	c = c.again(w, "p")
	subscribe(c)
	c.takes("ECDS a=3#inc") // nothing is known, so everything goes out, as bytes that it cannot have had last
	c.takes("ECDS b=1#inc")
	c.silent()
}

// A client that asks for slots of its own listeners is in a group that is known only once another was built: meanwhile
// what it reports is compared with nothing.
func TestSotwReconnectWithSlotsOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	slot := content("a", "1")
	publish := func() {
		w.woken()
		result := &snapshot.Result{Groups: map[string]*snapshot.Resources{}}
		for _, group := range w.server.Groups(w.config) {
			if result.Groups[group.Key] = resources(nil); slices.Contains(group.Foreign, "a") {
				result.Groups[group.Key] = resources(nil, slot)
			}
		}
		w.server.Publish(w.config, result)
	}
	w.server.Publish(w.config, &snapshot.Result{Groups: map[string]*snapshot.Resources{}})
	c := w.sotw("p")
	c.subscribe(snapshot.ExtensionType, "a")
	publish()
	publish()
	c.takes("ECDS a=1#inc")
	c.heard(w)

	c = c.again(w, "p")
	c.subscribe(snapshot.ExtensionType, "a")
	publish()
	c.silent()
	publish()
	c.silent()
	if p := w.server.Proxies()[0].Slots[0]; p.Acked != slot {
		t.Errorf("state: %+v", p)
	}
}

func TestSotwSlotGivenUpAndTakenBackAcrossStreams(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1"), content("b", "1"))
	c := w.sotw("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a", "b")
	c.takes("ECDS a=1")
	c.takes("ECDS b=1")
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS")
	c.heard(w)
	c = c.again(w, "p")
	c.subscribe(snapshot.ExtensionType, "a", "b") // b is new to it: its version must not say otherwise
	c.takes("ECDS a=1#inc")
	c.takes("ECDS b=1#inc")
}

func TestSotwRefusedListenerIsRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(listener("l", "1"))
	c := w.sotw("p")
	c.subscribe(snapshot.ListenerType)
	first := c.expect("LDS l@1")
	c.nack(first, "cannot bind")
	c.silent()
	w.clock.advance(retryFirst)
	second := c.expect("LDS l@1")
	if first.GetVersionInfo() == second.GetVersionInfo() {
		t.Errorf("the version that was refused came again: %s", second.GetVersionInfo())
	}
	c.ack(second)
	c.silent()
}

func TestSotwStaleRequestIsDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(endpoint("x", "1"), endpoint("y", "1"))
	c := w.sotw("p")
	c.subscribe(snapshot.EndpointType, "x")
	c.takes("EDS x@1")
	c.heard(w)
	w.publish(endpoint("x", "2"), endpoint("y", "1"))
	w.eventually("a response is on its way", func() bool {
		return w.server.Counters().Types[snapshot.EndpointType].Pushes == 2
	})
	c.subscribe(snapshot.EndpointType, "x", "y") // in answer to the first
	res := c.expect("EDS x@2")
	c.silent()
	c.ack(res) // names y too
	c.takes("EDS y@1")
}

// go-control-plane's own client.
func TestSotwClientOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(cluster("x", "1"), cluster("y", "1"))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := client.NewADSClient(ctx, testNode("p"), snapshot.ClusterType)
	if err := c.InitConnect(w.conn); err != nil {
		t.Fatal(err)
	}
	fetch := func(want int) {
		t.Helper()
		res, err := c.Fetch()
		if err != nil {
			t.Fatal(err)
		}
		if len(res.Resources) != want {
			t.Fatalf("%d resources, want %d", len(res.Resources), want)
		}
	}
	fetch(2)
	if err := c.Ack(); err != nil {
		t.Fatal(err)
	}
	w.publish(cluster("x", "1"))
	fetch(1)
	if err := c.Nack("no"); err != nil {
		t.Fatal(err)
	}
	w.eventually("the NACK is heard", func() bool { return w.server.Counters().Types[snapshot.ClusterType].NACKs == 1 })
	w.publish(cluster("x", "2"))
	fetch(1)
	if err := c.Ack(); err != nil {
		t.Fatal(err)
	}
	w.eventually("the ACK is heard", func() bool { return w.server.Counters().Types[snapshot.ClusterType].ACKs == 2 })
	if pushes := w.server.Counters().Types[snapshot.ClusterType].Pushes; pushes != 3 {
		t.Errorf("%d pushes for 3 edits", pushes)
	}
}
