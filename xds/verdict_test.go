package xds

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/graft-xds/graft/snapshot"
)

// ledger is a Ledger that outlives servers.
type ledger struct {
	mu     sync.Mutex
	saved  map[[4]string]Verdict
	broken error
}

func newLedger() *ledger { return &ledger{saved: map[[4]string]Verdict{}} }

func (l *ledger) Load() ([]Verdict, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []Verdict
	for _, v := range l.saved {
		all = append(all, v)
	}
	return all, l.broken
}

func (l *ledger) Save(v Verdict) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.saved[[4]string{v.Node, v.Envoy, v.Slot, v.Revision}] = v
	return l.broken
}

// lines gives what was saved: "node slot revision mended good=revision:body".
func (l *ledger) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, v := range l.saved {
		line := v.Node + " " + v.Slot + " " + v.Revision
		if v.Mended {
			line += " mended"
		}
		if v.Good != nil {
			line += " good=" + v.Good.Revision + ":" + extensionText(v.Good.Body)
		}
		out = append(out, line+" "+v.Text)
	}
	slices.Sort(out)
	return out
}

func (w *world) ledgerHas(l *ledger, want ...string) {
	w.Helper()
	w.eventually("the ledger has "+strings.Join(want, "; "), func() bool { return slices.Equal(l.lines(), want) })
}

// with uses a ledger, and an incarnation of its own for each process.
func with(l *ledger, incarnation string) func(*Options) {
	return func(o *Options) { o.Ledger, o.Incarnation = l, incarnation }
}

func TestRefusedContentGivesWayToTheLastGood(t *testing.T) {
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
	mend := c.expect("ECDS a=good#inc-bad") // at once, and as bytes that were never sent
	w.ledgerHas(l, "p a bad good=good:a=good no good")
	c.ack(mend)
	w.ledgerHas(l, "p a bad mended good=good:a=good no good")

	w.publish(content("a", "bad")) // it stays refused
	c.silent()
	w.publish(content("a", "good")) // the author takes it back: it is there already
	c.silent()
	w.publish(content("a", "bad")) // and tries once more
	c.silent()
	w.publish(content("a", "better"))
	c.takes("ECDS a=better")
	w.publish(content("a", "bad"))
	c.silent()
}

func TestRefusedFirstContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "bad"))
	c := w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a")
	c.refuses("ECDS a=bad")
	c.silent() // there is no last good; the slot's default serves
	c.subscribe(snapshot.ExtensionType, "a")
	c.silent()
	w.publish(content("a", "good"))
	c.takes("ECDS a=good#inc") // unique: a slot that stands refused gets nothing that it might have had
}

func TestTwoRefusalsInARow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "good"))
	c := w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=good")
	w.publish(content("a", "bad"))
	bad := c.expect("ECDS a=bad")
	w.publish(content("a", "worse")) // before the answer
	c.nack(bad, "no")
	c.refuses("ECDS a=worse#inc")
	c.refuses("ECDS a=good#inc-worse") // even that is no longer any good
	c.silent()
	w.publish(content("a", "fine"))
	c.takes("ECDS a=fine#inc")
	w.publish(content("a", "good"))
	c.silent()
}

func TestRefusalIsOneProxysOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1"))
	p, q := w.delta("p"), w.delta("q")
	for _, c := range []*deltaClient{p, q} {
		c.fresh()
		c.subscribe(snapshot.ExtensionType, "a")
		c.takes("ECDS a=1")
	}
	w.publish(content("a", "2"))
	p.refuses("ECDS a=2")
	p.takes("ECDS a=1#inc-2")
	q.takes("ECDS a=2")
	q.silent()
}

func TestAnotherEnvoyVersionIsAskedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1"))
	c := w.delta("p")
	c.node.UserAgentVersionType = buildVersion(1, 39, 3)
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a")
	c.refuses("ECDS a=1")
	c.heard()
	c.stop()
	c = w.delta("p")
	c.node.UserAgentVersionType = buildVersion(1, 40, 0)
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=1")
}

func TestLedgerThatFailsCostsNobodyAnything(t *testing.T) {
	t.Parallel()
	l := newLedger()
	l.broken = errors.New("disk full")
	w := newWorld(t, with(l, "inc"))
	w.plane()
	w.publish(content("a", "1"))
	c := w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=1")
	w.publish(content("a", "2"))
	c.refuses("ECDS a=2")
	c.takes("ECDS a=1#inc-2")
}

func TestReportOfSlots(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1", "f"), content("b", "1"))
	c := w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a", "b")
	c.takes("ECDS a=1")
	c.refuses("ECDS b=1")
	w.publish(content("a", "2", "f"), content("b", "1"))
	c.expect("ECDS a=2")
	proxies := w.server.Proxies()
	if len(proxies) != 1 || !proxies[0].Delta || proxies[0].Node.Cluster != "edge" || !proxies[0].Since.Equal(w.clock.Now()) {
		t.Fatalf("proxies: %+v", proxies)
	}
	type row struct{ Name, Wanted, Sent, Version, Acked, Refused, Text string }
	var got []row
	for _, s := range proxies[0].Slots {
		r := row{Name: s.Name, Wanted: s.Wanted.Revision, Sent: s.Sent, Version: s.Version}
		if s.Acked != nil {
			r.Acked = s.Acked.Revision + " " + s.Acked.Uses[0].Key.Name
		}
		if s.Refusal != nil {
			r.Refused, r.Text = s.Refusal.Revision, s.Refusal.Text
		}
		got = append(got, r)
	}
	want := []row{
		{Name: "a", Wanted: "2", Sent: "2", Version: "1", Acked: "1 f"},
		{Name: "b", Wanted: "1", Sent: "1", Refused: "1", Text: "no good"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
