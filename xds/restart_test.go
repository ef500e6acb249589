package xds

import (
	"testing"

	"github.com/graft-xds/graft/snapshot"
)

// The trap: graft is killed between a push and the NACK. Envoy would ACK the same bytes, and go on without them.
func TestNewProcessNeverSendsTheSameBytes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		has    string // version that the client reports
		wanted string
		want   string // what goes out; empty: nothing
	}{
		{"it has what it should have", "2", "2", ""},
		{"it has it under an attempt", "2#old.7", "2", ""},
		{"it has another", "1", "2", "ECDS a=2#new"},
		{"it has another attempt of another", "1#old", "2", "ECDS a=2#new"},
		{"it tells of no version, but is not fresh", "", "2", "ECDS a=2#new"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, with(newLedger(), "new"))
			w.plane()
			w.publish(content("a", test.wanted), cluster("x", "1"))
			c := w.delta("p")
			c.resume(snapshot.ClusterType, map[string]string{"x": "1"})
			has := map[string]string{}
			if test.has != "" {
				has["a"] = test.has
			}
			c.resume(snapshot.ExtensionType, has, "a")
			if test.want != "" {
				c.takes(test.want)
			}
			c.silent()
		})
	}
}

// The same within one process: the stream breaks between a push and the NACK.
func TestBrokenStreamNeverGetsTheSameBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1"))
	c := w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=1")
	w.publish(content("a", "2"))
	for _, want := range []string{"ECDS a=2", "ECDS a=2#inc", "ECDS a=2#inc.2", "ECDS a=2#inc.3"} {
		c.expect(want)
		c.stop()
		w.eventually("the stream is gone", func() bool { return len(w.server.Proxies()) == 0 })
		c = w.delta("p")
		c.resume(snapshot.ExtensionType, map[string]string{"a": "1"}, "a")
	}
	c.takes("ECDS a=2#inc.4")
	other := w.delta("q") // the others still share one rendering
	other.resume(snapshot.ExtensionType, map[string]string{"a": "1"}, "a")
	other.takes("ECDS a=2#inc")
}

func TestVerdictsOutliveTheProcess(t *testing.T) {
	t.Parallel()
	l := newLedger()
	w := newWorld(t, with(l, "one"))
	w.plane()
	w.publish(content("a", "good"))
	c := w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=good")
	w.publish(content("a", "bad"))
	c.refuses("ECDS a=bad")
	c.expect("ECDS a=good#one-bad") // killed before the answer
	w.ledgerHas(l, "p a bad good=good:a=good no good")
	c.stop()
	w.stop()

	w = newWorld(t, with(l, "two"))
	w.plane()
	w.publish(content("a", "bad"))
	c = w.delta("p")
	c.resume(snapshot.ExtensionType, map[string]string{"a": "good"}, "a")
	c.takes("ECDS a=good#two-bad") // from the bytes alone: nobody builds that content any more
	w.ledgerHas(l, "p a bad mended good=good:a=good no good")
	c.silent()
	c.stop()
	w.stop()

	w = newWorld(t, with(l, "three"))
	w.plane()
	w.publish(content("a", "bad"))
	c = w.delta("p")
	c.resume(snapshot.ExtensionType, map[string]string{"a": "good#two-bad"}, "a")
	c.silent() // mended
	w.publish(content("a", "bad2"))
	c.refuses("ECDS a=bad2#three")
	c.takes("ECDS a=good#three-bad2") // still known as the last good
	other := w.delta("q")
	other.resume(snapshot.ExtensionType, map[string]string{"a": "good"}, "a")
	other.takes("ECDS a=bad2#three") // it never refused that
}

// An Envoy that starts anew while what it should get stands refused gets what served before.
func TestFreshProxyGetsTheLastGood(t *testing.T) {
	t.Parallel()
	l := newLedger()
	w := newWorld(t, with(l, "inc"))
	w.plane()
	w.publish(content("a", "good"))
	c := w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=good")
	w.publish(content("a", "bad"))
	c.refuses("ECDS a=bad")
	c.takes("ECDS a=good#inc-bad")
	c.heard()
	c.stop()
	c = w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=good#inc-bad")
	c.silent()
}
