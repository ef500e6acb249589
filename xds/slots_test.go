package xds

import (
	"fmt"
	"testing"

	"github.com/graft-xds/graft/snapshot"
)

func TestSlotIsServedAndUpdated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1"))
	c := w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=1")
	w.publish(content("a", "2"))
	c.takes("ECDS a=2")
	w.publish(content("a", "1")) // the bytes before the last may go out again as they are
	c.takes("ECDS a=1")
	c.silent()
}

func TestSlotsGoOneByOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1"), content("b", "1"), content("c", "1"))
	c := w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "c", "b", "a")
	a := c.expect("ECDS a=1")
	c.silent() // until it is answered
	c.ack(a)
	b := c.expect("ECDS b=1")
	c.nack(b, "no")
	c.takes("ECDS c=1") // a refusal does not hold up the others
	c.silent()
}

func TestManyEditsWhileOneIsAnsweredBecomeOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1"))
	c := w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a")
	first := c.expect("ECDS a=1")
	for i := 2; i < 10; i++ {
		w.publish(content("a", fmt.Sprint(i)))
	}
	c.ack(first)
	c.takes("ECDS a=9")
	c.silent()
}

func TestVanishedSlotIsNotSpokenOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1"), content("b", "1"))
	c := w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a", "b")
	c.takes("ECDS a=1")
	c.takes("ECDS b=1")
	w.publish(content("b", "1"))
	c.silent() // above all no removal: Envoy would answer 500
	w.publish(content("a", "1"), content("b", "1"))
	c.silent()
	w.publish(content("a", "2"), content("b", "1"))
	c.takes("ECDS a=2")
}

func TestForeignSlotIsAnsweredOnceItIsBuilt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(content("ours", "1"))
	c := w.delta("p")
	c.fresh2(w)
	c.subscribe(snapshot.ExtensionType, "ours", "theirs")
	c.takes("ECDS ours=1")
	w.woken()
	groups := w.server.Groups(w.config)
	if len(groups) != 1 || fmt.Sprint(groups[0].Foreign) != "[theirs]" || groups[0].Previous == "" {
		t.Fatalf("groups: %+v", groups)
	}
	w.publish(content("ours", "1"), content("theirs", "1"))
	c.takes("ECDS theirs=1")
	w.publish(content("ours", "2"), content("theirs", "1"))
	c.takes("ECDS ours=2")
	c.unsubscribe(snapshot.ExtensionType, "theirs")
	w.woken() // it is in the group without foreign slots again
	w.build()
	c.silent()
}

// fresh2 is fresh in a world without a plane: the first group has to be built by hand.
func (c *deltaClient) fresh2(w *world) {
	c.Helper()
	c.subscribe(snapshot.ClusterType)
	w.woken()
	w.build()
	c.takes("CDS")
	c.subscribe(snapshot.ListenerType)
	c.takes("LDS")
}

func TestUnsubscribeAndSubscribeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1"))
	c := w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=1")
	c.unsubscribe(snapshot.ExtensionType, "a")
	c.heard()
	w.publish(content("a", "2"))
	c.silent()
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=2")
	c.subscribe(snapshot.ExtensionType, "a") // once more, without having left it
	c.takes("ECDS a=2")
	c.silent()
}

func TestSubscribeAgainWhileTheFirstIsOnItsWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1"))
	c := w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a")
	first := c.expect("ECDS a=1")
	c.unsubscribe(snapshot.ExtensionType, "a")
	c.subscribe(snapshot.ExtensionType, "a")
	c.ack(first)
	c.takes("ECDS a=1#inc") // not the same bytes: those may have been refused for all we know
	c.silent()
}

func TestEveryExtension(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1"), content("b", "1"))
	c := w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType) // nothing asked for, nothing given
	c.silent()
	c.subscribe(snapshot.ExtensionType, "*")
	c.takes("ECDS a=1")
	c.takes("ECDS b=1")
	w.publish(content("a", "1"), content("b", "1"), content("c", "1"))
	c.takes("ECDS c=1")
	c.silent()
}

func TestProvisionalContentIsForThoseWhoHaveNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	standIn := content("a", "deny")
	standIn.Provisional = true
	w.publish(standIn)
	old, fresh := w.delta("old"), w.delta("new")
	old.resume(snapshot.ExtensionType, map[string]string{"a": "7"}, "a")
	fresh.fresh()
	fresh.subscribe(snapshot.ExtensionType, "a")
	fresh.takes("ECDS a=deny")
	old.silent()
	w.publish(content("a", "8"))
	fresh.takes("ECDS a=8")
	old.takes("ECDS a=8#inc")
}

// Moves of filters between declared slots: for a moment in force twice, never not at all.
func TestMovesAreMakeBeforeBreak(t *testing.T) {
	t.Parallel()
	one, two, three := "graft/w/1-of-3", "graft/w/2-of-3", "graft/w/3-of-3"
	w := newWorld(t)
	w.plane()
	w.publish(content(one, "F", "f"), content(two, "G", "g"), content(three, "-"))
	c := w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, one, two, three)
	c.takes("ECDS " + one + "=F")
	c.takes("ECDS " + two + "=G")
	c.takes("ECDS " + three + "=-")
	w.publish(content(one, "N", "n"), content(two, "F", "f"), content(three, "G", "g"))
	c.takes("ECDS " + three + "=G")
	c.takes("ECDS " + two + "=F")
	c.takes("ECDS " + one + "=N")
	c.silent()
}

// A filter whose new place refuses it stays in the old one.
func TestMoveThatIsRefusedKeepsTheFilter(t *testing.T) {
	t.Parallel()
	one, two := "graft/w/1-of-2", "graft/w/2-of-2"
	w := newWorld(t)
	w.plane()
	w.publish(content(one, "F", "f"), content(two, "-"))
	c := w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, one, two)
	c.takes("ECDS " + one + "=F")
	c.takes("ECDS " + two + "=-")
	w.publish(content(one, "N", "n"), content(two, "F2", "f"))
	c.refuses("ECDS " + two + "=F2")
	c.takes("ECDS " + two + "=-#inc-F2")
	c.silent() // n would take f out of force
	w.publish(content(one, "N", "n"), content(two, "F3", "f"))
	c.takes("ECDS " + two + "=F3")
	c.takes("ECDS " + one + "=N")
}
