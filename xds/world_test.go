package xds

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/graft-xds/graft/snapshot"
)

// patience is how long a test waits for what must happen; silence is how long it listens for what must not.
const (
	patience = 10 * time.Second
	silence  = 60 * time.Millisecond
)

// clock is a Clock that tests turn.
type clock struct {
	mu     sync.Mutex
	time   time.Time
	alarms map[*alarm]bool
}

type alarm struct {
	at time.Time
	f  func()
}

func newClock() *clock {
	return &clock{time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), alarms: map[*alarm]bool{}}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.time
}

func (c *clock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := &alarm{c.time.Add(d), f}
	c.alarms[one] = true
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		was := c.alarms[one]
		delete(c.alarms, one)
		return was
	}
}

// advance turns the clock, and calls what is due.
func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	c.time = c.time.Add(d)
	var due []*alarm
	for one := range c.alarms {
		if !one.at.After(c.time) {
			due = append(due, one)
			delete(c.alarms, one)
		}
	}
	c.mu.Unlock()
	for _, one := range due {
		one.f()
	}
}

// world is a server, a way to reach it, and a plane that publishes the same resources to every group.
type world struct {
	*testing.T
	server *Server
	clock  *clock
	listen *bufconn.Listener
	conn   *grpc.ClientConn
	stop   func()

	mu     sync.Mutex // the plane builds while the test edits
	config *snapshot.Config
	now    *snapshot.Resources
}

func newWorld(t *testing.T, adjust ...func(*Options)) *world {
	t.Helper()
	w := &world{T: t, clock: newClock(), config: &snapshot.Config{Selection: "1"}}
	o := Options{Clock: w.clock, Incarnation: "inc", Restamp: restampForTest}
	for _, f := range adjust {
		f(&o)
	}
	w.server = newServer(o, renderForTest, nextSlotForTest)
	w.listen = bufconn.Listen(1 << 20)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.server.Serve(ctx, w.listen) }()
	w.conn = w.dial()
	w.stop = sync.OnceFunc(func() {
		_ = w.conn.Close()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(w.stop)
	return w
}

func (w *world) dial() *grpc.ClientConn {
	w.Helper()
	conn, err := grpc.NewClient("passthrough:///xds",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return w.listen.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		w.Fatal(err)
	}
	return conn
}

// publish gives every group of connected proxies these things: resources and contents.
func (w *world) publish(things ...any) {
	w.Helper()
	w.mu.Lock()
	w.now = resources(w.now, things...)
	w.mu.Unlock()
	w.build()
}

// build does what plane does.
func (w *world) build() {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	result := &snapshot.Result{Groups: map[string]*snapshot.Resources{}}
	for _, group := range w.server.Groups(w.config) {
		result.Groups[group.Key] = w.now
	}
	w.server.Publish(w.config, result)
}

// woken waits until the server asks for a group.
func (w *world) woken() {
	w.Helper()
	select {
	case <-w.server.Wake():
	case <-time.After(patience):
		w.Fatal("the server asks for no group")
	}
}

// plane builds whenever the server asks for it, until the test ends.
func (w *world) plane() {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-w.server.Wake():
				w.build()
			case <-stop:
				return
			}
		}
	}()
	w.Cleanup(func() { close(stop); <-stopped })
}

// resources makes a group's resources; what is equal to the old ones stays the same pointer, as with snapshot.Build.
func resources(old *snapshot.Resources, things ...any) *snapshot.Resources {
	r := &snapshot.Resources{Types: map[string][]*snapshot.Resource{}, Slots: map[string]*snapshot.Content{}}
	for _, thing := range things {
		switch v := thing.(type) {
		case *snapshot.Resource:
			if old != nil {
				if before, ok := find(old.Types[v.Type], v.Name); ok && before.Version == v.Version {
					v = before
				}
			}
			r.Types[v.Type] = append(r.Types[v.Type], v)
		case *snapshot.Content:
			if old != nil && old.Slots[v.Slot] != nil && old.Slots[v.Slot].Revision == v.Revision {
				v = old.Slots[v.Slot]
			}
			r.Slots[v.Slot] = v
		}
	}
	for _, list := range r.Types {
		slices.SortFunc(list, func(a, b *snapshot.Resource) int { return strings.Compare(a.Name, b.Name) })
	}
	return r
}

// resource is any resource: its body names what it is, so that a test can read it.
func resource(typeURL, name, version string) *snapshot.Resource {
	body, err := proto.Marshal(wrapperspb.String(name + "@" + version))
	if err != nil {
		panic(err)
	}
	return &snapshot.Resource{Type: typeURL, Name: name, Version: version, Body: body}
}

func cluster(name, version string) *snapshot.Resource {
	return resource(snapshot.ClusterType, name, version)
}

func endpoint(name, version string) *snapshot.Resource {
	return resource(snapshot.EndpointType, name, version)
}

func listener(name, version string) *snapshot.Resource {
	return resource(snapshot.ListenerType, name, version)
}

func route(name, version string) *snapshot.Resource {
	return resource(snapshot.RouteType, name, version)
}

// content carries filters by name.
func content(slot, revision string, filters ...string) *snapshot.Content {
	c := &snapshot.Content{Slot: slot, Revision: revision}
	for _, name := range filters {
		c.Uses = append(c.Uses, snapshot.FilterUse{Key: snapshot.Key{Kind: "Filter", Namespace: "default", Name: name}, Hash: name})
	}
	return c
}

// renderForTest says in its body which variant of what it is.
func renderForTest(c *snapshot.Content, v snapshot.Variant) *snapshot.Resource {
	text := c.Slot + "=" + attempted(c.Revision, v.Attempt)
	if v.Remote {
		text += " remote for " + v.Token
	}
	return extension(c.Slot, attempted(c.Revision, v.Attempt), text)
}

func extension(slot, version, text string) *snapshot.Resource {
	inner, err := proto.Marshal(wrapperspb.String(text))
	if err != nil {
		panic(err)
	}
	body, err := proto.Marshal(&corev3.TypedExtensionConfig{Name: slot, TypedConfig: &anypb.Any{
		TypeUrl: "type.googleapis.com/google.protobuf.StringValue", Value: inner,
	}})
	if err != nil {
		panic(err)
	}
	return &snapshot.Resource{Type: snapshot.ExtensionType, Name: slot, Version: version, Body: body}
}

func restampForTest(slot string, good Good, attempt string) (*snapshot.Resource, error) {
	return extension(slot, attempted(good.Revision, attempt), slot+"="+attempted(good.Revision, attempt)), nil
}

// nextSlotForTest keeps filters in force as snapshot.NextSlot does, but for circles.
func nextSlotForTest(have, want map[string]*snapshot.Content) (string, bool) {
	names := make([]string, 0, len(want))
	for name := range want {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if have[name] != nil && have[name].Revision == want[name].Revision {
			continue
		}
		if have[name] == nil || !strands(have, want, name, want[name]) {
			return name, true
		}
	}
	return "", false
}

// eventually waits for a condition.
func (w *world) eventually(what string, is func() bool) {
	w.Helper()
	deadline := time.Now().Add(patience)
	for !is() {
		if time.Now().After(deadline) {
			w.Fatalf("timed out: %s", what)
		}
		<-time.After(time.Millisecond)
	}
}
