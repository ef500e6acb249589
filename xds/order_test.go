package xds

import (
	"testing"
	"time"

	"github.com/graft-xds/graft/snapshot"
)

// all subscribes to everything that a proxy with one listener does, and takes the first answers.
func (w *world) all(c *deltaClient) {
	w.Helper()
	w.publish(cluster("x", "1"), endpoint("x", "1"), listener("l", "1"), route("r", "1"), content("a", "1"))
	c.subscribe(snapshot.ClusterType)
	c.takes("CDS x@1")
	c.subscribe(snapshot.EndpointType, "x")
	c.takes("EDS x@1")
	c.subscribe(snapshot.ListenerType)
	c.takes("LDS l@1")
	c.subscribe(snapshot.RouteType, "r")
	c.takes("RDS r@1")
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=1")
}

func TestWhatIsNamedGoesFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	c := w.delta("p")
	w.all(c)
	w.publish(cluster("x", "1"), cluster("y", "1"), endpoint("x", "2"), listener("l", "2"), route("r", "2"), content("a", "2"))
	cds := c.expect("CDS y@1")
	c.takes("EDS x@2") // does not wait: Envoy answers for clusters when they have their endpoints
	c.silent()
	c.ack(cds)
	lds := c.expect("LDS l@2")
	c.silent()
	c.ack(lds)
	c.takes("RDS r@2")
	c.takes("ECDS a=2")
	c.silent()
}

// Envoy makes a new cluster of one that has changed, and waits for its endpoints without asking for them.
func TestChangedClusterGetsItsEndpointsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	c := w.delta("p")
	w.all(c)
	w.publish(cluster("x", "2"), endpoint("x", "1"), listener("l", "1"), route("r", "1"), content("a", "1"))
	cds := c.expect("CDS x@2")
	c.takes("EDS x@1")
	c.silent()
	c.ack(cds)
	c.silent()
}

func TestWhatIsNoLongerNamedGoesLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	c := w.delta("p")
	w.all(c)
	w.publish(cluster("y", "1"), listener("l", "2"), route("r", "2"), content("a", "2"))
	c.takes("CDS y@1") // x stays while the route names it
	c.takes("LDS l@2")
	c.takes("RDS r@2")
	ecds := c.expect("ECDS a=2")
	c.silent()
	c.ack(ecds)
	c.takes("EDS -x")
	c.takes("CDS -x")
	c.silent()
}

func TestRefusedRouteKeepsItsCluster(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	c := w.delta("p")
	w.all(c)
	w.publish(cluster("y", "1"), endpoint("x", "1"), listener("l", "1"), route("r", "2"), content("a", "1"))
	c.takes("CDS y@1")
	c.refuses("RDS r@2")
	c.silent() // route 1 still runs, and names x
	w.publish(cluster("y", "1"), listener("l", "1"), route("r", "3"), content("a", "1"))
	c.takes("RDS r@3")
	c.takes("EDS -x")
	c.takes("CDS -x")
}

func TestRefusalDoesNotHoldUpOtherTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	c := w.delta("p")
	w.all(c)
	w.publish(cluster("x", "2"), endpoint("x", "2"), listener("l", "2"), route("r", "2"), content("a", "2"))
	c.refuses("CDS x@2")
	c.refuses("EDS x@2")
	c.refuses("LDS l@2")
	c.refuses("RDS r@2")
	c.refuses("ECDS a=2")
	c.takes("ECDS a=1#inc-2")
	c.takes("LDS l@2#1") // the slot stood refused when it was refused
	c.silent()
}

func TestSilentClientHoldsUpOtherTypesForAWhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Patience = 10 * time.Second })
	w.plane()
	c := w.delta("p")
	w.all(c)
	w.publish(cluster("x", "2"), endpoint("x", "1"), listener("l", "2"), route("r", "1"), content("a", "2"))
	late := c.expect("CDS x@2")
	c.takes("EDS x@1")
	c.silent()
	w.clock.advance(9 * time.Second)
	c.silent()
	w.clock.advance(time.Second)
	c.expect("LDS l@2")
	w.clock.advance(10 * time.Second)
	c.takes("ECDS a=2")
	w.publish(cluster("x", "3"), endpoint("x", "1"), listener("l", "2"), route("r", "1"), content("a", "2"))
	c.silent() // one response of a type at a time, however long it takes
	c.ack(late)
	c.takes("CDS x@3")
}

func TestTypesThatNobodyAsksForAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(cluster("x", "1"), listener("l", "1"), content("a", "1"))
	c := w.delta("p")
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=1#inc")
	w.publish(cluster("x", "2"), listener("l", "2"), content("a", "2"))
	c.takes("ECDS a=2")
	c.silent()
}

func TestRefusedListener(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(listener("l", "1"), listener("m", "1"))
	c := w.delta("p")
	c.subscribe(snapshot.ListenerType)
	c.takes("LDS l@1 m@1")
	w.publish(listener("l", "2"), listener("m", "2"))
	c.nack(c.expect("LDS l@2 m@2"), "Error adding/updating listener(s) l: cannot bind: Address already in use")
	c.silent()
	if got := w.server.Proxies()[0].Refusals; len(got) != 1 || got[0].Name != "l" || got[0].Revision != "2" {
		t.Errorf("refusals: %+v", got)
	}
	w.publish(listener("l", "2"), listener("m", "3"))
	c.takes("LDS m@3") // l is not sent again as it is
	for i, wait := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second} {
		w.clock.advance(wait - time.Millisecond)
		c.silent()
		w.clock.advance(time.Millisecond)
		c.nack(c.expect("LDS l@2#"+string(rune('1'+i))), "l: cannot bind")
		c.heard()
	}
	w.clock.advance(time.Hour)
	c.takes("LDS l@2#4")
	c.heard()
	if got := w.server.Proxies()[0].Refusals; len(got) != 0 {
		t.Errorf("refusals: %+v", got)
	}
	w.publish(listener("l", "2"), listener("m", "3"), listener("n", "1"))
	c.takes("LDS n@1")
	w.clock.advance(time.Hour)
	c.silent()
}

func TestListenerThatComesBackToWhatItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(listener("l", "1"))
	c := w.delta("p")
	c.subscribe(snapshot.ListenerType)
	c.takes("LDS l@1")
	w.publish(listener("l", "2"))
	c.refuses("LDS l@2")
	c.heard()
	w.publish(listener("l", "1"))
	w.clock.advance(time.Hour)
	c.silent()
	if got := w.server.Proxies()[0].Refusals; len(got) != 0 {
		t.Errorf("refusals: %+v", got)
	}
}

// While a chain stands refused, Envoy refuses every listener that names its slot.
func TestListenerGoesOutAgainOnceTheSlotIsHealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	c := w.delta("p")
	w.all(c)
	w.publish(cluster("x", "1"), endpoint("x", "1"), listener("l", "1"), route("r", "1"), content("a", "2"))
	c.nack(c.expect("ECDS a=2"), "Unable to create Wasm plugin f")
	mend := c.expect("ECDS a=1#inc-2")
	w.publish(cluster("x", "1"), endpoint("x", "1"), listener("l", "2"), route("r", "1"), content("a", "2"))
	c.silent() // not before the slot has taken something
	c.ack(mend)
	c.takes("LDS l@2")

	w.publish(cluster("x", "1"), endpoint("x", "1"), listener("l", "3"), route("r", "1"), content("a", "3"))
	c.takes("LDS l@3")
	c.takes("ECDS a=3")
	c.silent()
}

func TestOtherTypesAreNotRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(cluster("x", "1"), cluster("y", "1"))
	c := w.delta("p")
	c.subscribe(snapshot.ClusterType)
	c.nack(c.expect("CDS x@1 y@1"), "Error adding/updating cluster(s) y: bad")
	w.clock.advance(24 * time.Hour)
	c.silent()
	w.publish(cluster("x", "1"), cluster("y", "2"))
	c.takes("CDS y@2")
}

func TestBlame(t *testing.T) {
	t.Parallel()
	items := func(names ...string) (all []item) {
		for _, name := range names {
			all = append(all, item{listener(name, "1"), "1"})
		}
		return all
	}
	for _, test := range []struct {
		name  string
		items []item
		text  string
		want  []string
	}{
		{"one", items("web"), "no idea", []string{"web"}},
		{"named", items("api", "web"), "Error adding/updating listener(s) web: cannot bind '0.0.0.0:80'", []string{"web"}},
		{"nobody named", items("api", "web"), "internal error", []string{"api", "web"}},
		{"part of another's name", items("web", "web-2", "web.example", "aweb"), "listener(s) web-2: bad", []string{"web-2"}},
		{"a domain in the name", items("web", "web.example"), "listener(s) web.example: bad", []string{"web.example"}},
		{"at the end of a sentence", items("api", "web"), "cannot add web.", []string{"web"}},
		{"nameless", items("", "web"), "web", []string{"web"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := blame(test.items, test.text)
			for _, name := range test.want {
				if !got[name] {
					t.Errorf("%q is not blamed", name)
				}
			}
			if len(got) != len(test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
