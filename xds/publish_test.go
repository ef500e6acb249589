package xds

import (
	"net"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
	"github.com/graft-xds/graft/snapshot"
)

// countingConn counts what the server writes.
type countingConn struct {
	net.Conn
	bytes *atomic.Int64
}

func (c countingConn) Write(b []byte) (int, error) {
	c.bytes.Add(int64(len(b)))
	return c.Conn.Write(b)
}

type countingListener struct {
	net.Listener
	bytes *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return countingConn{conn, l.bytes}, err
}

// twoClusters is a Config with a Filter target for each of two clusters of nodes: two groups.
func twoClusters() *snapshot.Config {
	c := &snapshot.Config{Selection: "two"}
	for _, name := range []string{"edge", "core"} {
		c.Filters = append(c.Filters, &snapshot.Filter{
			Key:     snapshot.Key{Kind: "Filter", Namespace: "default", Name: name},
			Targets: []snapshot.Target{{Nodes: &graftv1alpha1.NodeSelector{Cluster: name}}},
		})
	}
	return c
}

// An edit for one group sends not a byte to another, nor to a proxy of the same group that does not ask for what changed.
func TestUnrelatedEditSendsNotAByte(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config = twoClusters()
	edge := w.config.Place(readNode(testNode("p")), nil, "")
	node := testNode("q")
	node.Cluster = "core"
	core := w.config.Place(readNode(node), nil, "")
	if edge.Key == core.Key {
		t.Fatal("one group")
	}
	shared := content("b", "1")
	publish := func(a string) {
		w.server.Publish(w.config, &snapshot.Result{Groups: map[string]*snapshot.Resources{
			edge.Key: resources(nil, content("a", a), shared, cluster("x", a)),
			core.Key: resources(nil, shared),
		}})
	}
	publish("1")

	served := make(chan error, 1)
	bytes := &atomic.Int64{}
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { served <- w.server.Serve(t.Context(), countingListener{listen, bytes}) }()
	quietConn := dialTCP(t, listen.Addr().String(), nil)
	busy := w.delta("p")
	busy.subscribe(snapshot.ExtensionType, "a")
	busy.takes("ECDS a=1#inc")

	other := w.deltaOn(quietConn, "q")
	other.node.Cluster = "core"
	other.subscribe(snapshot.ExtensionType, "b")
	other.takes("ECDS b=1#inc")
	same := w.deltaOn(quietConn, "r")
	same.subscribe(snapshot.ExtensionType, "b")
	same.takes("ECDS b=1#inc")
	other.heard()
	same.heard()
	w.quiet(bytes)

	before := bytes.Load()
	for _, revision := range []string{"2", "3", "4"} {
		publish(revision)
		busy.takes("ECDS a=" + revision)
	}
	other.silent()
	same.silent()
	if sent := bytes.Load() - before; sent != 0 {
		t.Errorf("%d bytes were sent for an edit of somebody else's", sent)
	}
	w.stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// quiet waits until nothing has been written for a while: window updates and acknowledgements of HTTP/2 come late.
func (w *world) quiet(bytes *atomic.Int64) {
	w.Helper()
	last, rounds := int64(-1), 0
	w.eventually("the connection is quiet", func() bool {
		now := bytes.Load()
		if now != last {
			last, rounds = now, 0
			return false
		}
		rounds++
		return rounds > 50
	})
}

func TestGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish()
	if groups := w.server.Groups(w.config); len(groups) != 0 {
		t.Fatalf("groups without proxies: %v", groups)
	}
	for _, id := range []string{"a", "b", "c"} {
		c := w.delta(id)
		if id == "c" {
			c.node.Cluster = "core"
		}
		c.subscribe(snapshot.ClusterType)
	}
	w.eventually("all are known", func() bool { return len(w.server.Proxies()) == 3 })
	if groups := w.server.Groups(w.config); len(groups) != 1 || groups[0].Node.ID != "a" {
		t.Fatalf("groups: %+v", groups)
	}
	one := w.server.Groups(w.config)[0].Key
	two := twoClusters()
	groups := w.server.Groups(two)
	if len(groups) != 2 {
		t.Fatalf("groups: %+v", groups)
	}
	for _, group := range groups {
		if group.Previous != one {
			t.Errorf("previous: %q, want %q", group.Previous, one)
		}
	}
	if diff := cmp.Diff(groups, w.server.Groups(two)); diff != "" {
		t.Error("asked again:\n" + diff)
	}
	if groups := w.server.Groups(w.config); len(groups) != 1 || groups[0].Key != one {
		t.Errorf("under the Config in force: %+v", groups)
	}
}

func TestNewSelectionMovesProxies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1"))
	c := w.delta("p")
	c.fresh()
	c.subscribe(snapshot.ExtensionType, "a")
	c.takes("ECDS a=1")
	before := w.server.Proxies()[0].Group
	w.mu.Lock()
	w.config = twoClusters()
	w.mu.Unlock()
	w.publish(content("a", "1"))
	c.silent()
	if after := w.server.Proxies()[0].Group; after == before {
		t.Error("it is in the same group")
	}
	w.publish(content("a", "2"))
	c.takes("ECDS a=2")
}

// A proxy whose group is not in the Result keeps what it has, and the plane is told.
func TestGroupThatIsNotBuiltYet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish()
	c := w.delta("p")
	c.fresh2(w)
	c.subscribe(snapshot.ExtensionType, "a")
	w.eventually("it asks", func() bool {
		groups := w.server.Groups(w.config)
		return len(groups) == 1 && len(groups[0].Foreign) == 1
	})
	w.publish(content("a", "1"))
	c.takes("ECDS a=1")
	for len(w.server.Wake()) > 0 {
		<-w.server.Wake()
	}
	w.server.Publish(w.config, &snapshot.Result{Groups: map[string]*snapshot.Resources{}})
	w.woken()
	c.silent()
	w.publish(content("a", "2"))
	c.takes("ECDS a=2")
}

func TestClosedStreamsLeaveNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1"))
	for i := range 50 {
		c := w.delta("p")
		c.fresh()
		c.subscribe(snapshot.ExtensionType, "a")
		c.takes("ECDS a=1")
		c.heard()
		w.eventually("the last ACK is heard", func() bool { return w.server.Counters().Types[snapshot.ExtensionType].ACKs == uint64(i+1) })
		c.stop()
	}
	w.eventually("all are gone", func() bool { return len(w.server.Proxies()) == 0 && len(w.server.sessions()) == 0 })
	if len(w.server.memories.broken) != 0 || len(w.server.memories.cached) != 0 || len(w.server.verdicts.bySlot) != 0 {
		t.Error("something is remembered of proxies that did nothing remarkable")
	}
}
