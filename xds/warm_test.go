package xds

import (
	"strings"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"

	"github.com/graft-xds/graft/snapshot"
)

func fetched(slot, revision string, digests ...string) *snapshot.Content {
	c := content(slot, revision)
	c.Fetches = digests
	return c
}

// remote expects a content that leaves its modules to be fetched, under a version that never went out before.
func (c *deltaClient) remote(head string, seen map[string]bool) *discoveryv3.DeltaDiscoveryResponse {
	c.Helper()
	res := c.next()
	got := describe(res)
	if !strings.HasPrefix(got, "ECDS "+head+"#inc.") || !strings.HasSuffix(got, " remote for "+tokenOf("p")) {
		c.Fatalf("got %s", got)
	}
	if seen[got] {
		c.Fatalf("sent twice: %s", got)
	}
	seen[got] = true
	return res
}

// warmWorld has a proxy that runs content 1 and has the cluster to fetch modules from.
func warmWorld(t *testing.T) (*world, *deltaClient) {
	w := newWorld(t)
	w.plane()
	w.publish(cluster(snapshot.ModulesCluster, "1"), fetched("a", "1", "m1"))
	c := w.delta("p")
	c.subscribe(snapshot.ClusterType)
	c.takes("CDS " + snapshot.ModulesCluster + "@1")
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=1") // the first is inline, whatever its size
	return w, c
}

func (w *world) edit(things ...any) {
	w.Helper()
	w.publish(append(things, cluster(snapshot.ModulesCluster, "1"))...)
}

func TestModuleIsFetchedBeforeTheRealPush(t *testing.T) {
	t.Parallel()
	w, c := warmWorld(t)
	seen := map[string]bool{}
	w.edit(fetched("a", "2", "m2"))
	c.nack(c.remote("a=2", seen), "Unable to create Wasm plugin f") // not in the cache: no verdict
	c.heard()
	if p := w.server.Proxies()[0].Slots[0]; !p.Waiting || p.Refusal != nil {
		t.Errorf("state: %+v", p)
	}
	w.clock.advance(time.Second)
	c.silent() // a push would only start another fetch
	w.server.Fetched("somebody else", "m2")
	w.clock.advance(time.Second)
	c.silent()
	w.server.Fetched(tokenOf("p"), "m2")
	w.clock.advance(time.Second)
	c.ack(c.remote("a=2", seen))
	w.edit(fetched("a", "3", "m2")) // in the cache already
	c.ack(c.remote("a=3", seen))
	c.silent()
	c.stop()

	c = w.delta("p") // it comes back: the cache is still there
	c.resume(snapshot.ClusterType, map[string]string{snapshot.ModulesCluster: "1"})
	c.resume(snapshot.ExtensionType, map[string]string{"a": "3#inc.2r"}, "a")
	c.silent()
	w.edit(fetched("a", "4", "m2"))
	c.ack(c.remote("a=4", seen))
}

func TestFetchThatEndsBeforeTheRefusalIsHeard(t *testing.T) {
	t.Parallel()
	w, c := warmWorld(t)
	seen := map[string]bool{}
	w.edit(fetched("a", "2", "m2"))
	res := c.remote("a=2", seen)
	w.server.Fetched(tokenOf("p"), "m2")
	c.nack(res, "Unable to create Wasm plugin f")
	c.heard()
	w.clock.advance(time.Second)
	c.ack(c.remote("a=2", seen))
	c.silent()
}

func TestModulesAreFetchedOneByOne(t *testing.T) {
	t.Parallel()
	w, c := warmWorld(t)
	seen := map[string]bool{}
	w.edit(fetched("a", "2", "m1", "m2", "m3", "m4", "m5"))
	for _, digest := range []string{"m1", "m2", "m3", "m4", "m5"} {
		c.nack(c.remote("a=2", seen), "Unable to create Wasm plugin f")
		c.heard()
		w.server.Fetched(tokenOf("p"), digest)
		w.clock.advance(time.Second)
	}
	c.ack(c.remote("a=2", seen))
	c.silent()
}

func TestFetchThatNeverComesGoesInline(t *testing.T) {
	t.Parallel()
	w, c := warmWorld(t)
	seen := map[string]bool{}
	w.edit(fetched("a", "2", "m2"))
	c.nack(c.remote("a=2", seen), "Unable to create Wasm plugin f")
	c.heard()
	w.clock.advance(30 * time.Second)
	c.refuses("ECDS a=2#inc") // inline; this refusal is a verdict
	c.takes("ECDS a=1#inc-2")
	c.silent()
	if p := w.server.Proxies()[0].Slots[0]; p.Refusal == nil || p.Refusal.Revision != "2" {
		t.Errorf("state: %+v", p)
	}
}

func TestNothingIsFetchedForAWhileAfterAFetchThatNeverCame(t *testing.T) {
	t.Parallel()
	w, c := warmWorld(t)
	seen := map[string]bool{}
	w.edit(fetched("a", "2", "m2"))
	c.nack(c.remote("a=2", seen), "Unable to create Wasm plugin f")
	c.heard()
	w.clock.advance(30 * time.Second)
	c.takes("ECDS a=2#inc")
	w.edit(fetched("a", "3", "m3"))
	c.takes("ECDS a=3") // inline at once
	w.clock.advance(inlinePause)
	w.edit(fetched("a", "4", "m4"))
	c.ack(c.remote("a=4", seen))
}

func TestFetchThatDoesNotHelpGoesInline(t *testing.T) {
	t.Parallel()
	w, c := warmWorld(t)
	seen := map[string]bool{}
	w.edit(fetched("a", "2", "m2"))
	for i := range 4 {
		c.nack(c.remote("a=2", seen), "Unable to create Wasm plugin f")
		if i == 3 {
			break
		}
		c.heard()
		w.server.Fetched(tokenOf("p"), "m2")
		w.clock.advance(time.Second)
	}
	c.takes("ECDS a=2#inc")
	c.silent()
}

func TestRefusedContentWithAllModulesInTheCache(t *testing.T) {
	t.Parallel()
	w, c := warmWorld(t)
	seen := map[string]bool{}
	w.server.Fetched(tokenOf("p"), "m2")
	w.edit(fetched("a", "2", "m2"))
	c.nack(c.remote("a=2", seen), "Unable to create Wasm plugin f")
	c.heard()
	w.clock.advance(cachedWait) // no fetch: it was something else
	c.refuses("ECDS a=2#inc")
	c.takes("ECDS a=1#inc-2")
}

func TestEditWhileAModuleIsFetched(t *testing.T) {
	t.Parallel()
	w, c := warmWorld(t)
	seen := map[string]bool{}
	w.edit(fetched("a", "2", "m2"))
	c.nack(c.remote("a=2", seen), "Unable to create Wasm plugin f")
	c.heard()
	w.edit(content("a", "3"))
	c.takes("ECDS a=3#inc")
	w.server.Fetched(tokenOf("p"), "m2")
	w.clock.advance(time.Minute)
	c.silent()
	w.edit(fetched("a", "1", "m1"))
	c.nack(c.remote("a=1", seen), "Unable to create Wasm plugin f")
	c.heard()
	w.edit(content("a", "3")) // back to what runs, while Envoy holds the slot to be refused
	c.takes("ECDS a=3#inc")
	c.silent()
}

func TestNothingIsFetchedWithoutTheCluster(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(fetched("a", "1", "m1"))
	c := w.delta("p") // does not take clusters from here
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=1#inc")
	w.publish(fetched("a", "2", "m2"))
	c.takes("ECDS a=2")
	c.silent()
}

func TestListenerWaitsWhileTheSlotIsHealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(cluster(snapshot.ModulesCluster, "1"), listener("l", "1"), content("a", "1"))
	c := w.delta("p")
	c.subscribe(snapshot.ClusterType)
	c.takes("CDS " + snapshot.ModulesCluster + "@1")
	c.subscribe(snapshot.ListenerType)
	c.takes("LDS l@1")
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=1")
	seen := map[string]bool{}
	w.edit(listener("l", "1"), fetched("a", "2", "m2"))
	c.nack(c.remote("a=2", seen), "Unable to create Wasm plugin f")
	w.edit(listener("l", "2"), fetched("a", "2", "m2"))
	c.nack(c.expect("LDS l@2"), "l: filter a stands refused")
	c.heard()
	w.server.Fetched(tokenOf("p"), "m2")
	w.clock.advance(time.Second)
	c.ack(c.remote("a=2", seen))
	c.takes("LDS l@2#1") // healed
	c.silent()
}
