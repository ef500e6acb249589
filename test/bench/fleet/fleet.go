// Package fleet is thousands of simulated proxies in one process. Each has a TCP connection, a node ID and an ADS stream of
// its own, speaks HTTP/2 and gRPC by hand and throws the bodies of responses away as they arrive, so that what is measured
// is the server and not the client.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/graft-xds/graft/test/bench/control"
)

// Fleet is the proxies of one process, connected or not.
type Fleet struct {
	limit int64 // bytes that may be read between two marks

	mu      sync.Mutex
	changed *sync.Cond
	proxies []*proxy
	byID    map[string]*proxy
	read    int64 // bytes since the mark
	running sync.WaitGroup
}

// New makes a fleet without proxies that ends every stream once it has read more than limit bytes between two marks: a
// server that runs away does not take the machine with it.
func New(limit int64) *Fleet {
	f := &Fleet{limit: limit, byID: map[string]*proxy{}}
	f.changed = sync.NewCond(&f.mu)
	return f
}

func (f *Fleet) count(size int64) (over bool) {
	f.read += size
	return f.read > f.limit
}

// Connect says which proxies connect, and how.
type Connect struct {
	Addr     string
	TLS      bool
	Protocol string   // "delta" (default) or "sotw"
	Cluster  string   // of the nodes
	From     int      // number of the first proxy; proxy 7 has the node ID "proxy-7"
	Count    int      // how many
	Names    []string // ECDS resources that each subscribes to
	Known    bool     // tell the server the versions from before
	Refuse   bool     // NACK every response
	Sums     bool     // take a CRC of each resource, which costs time
}

// Connected tells how connecting went.
type Connected struct {
	Proxies int
	At      int64 // control.Now when the last subscription was written
}

// Connect opens the streams of some proxies, all at once, and returns when the last subscription is written.
func (f *Fleet) Connect(ctx context.Context, c Connect) (Connected, error) {
	speaks, err := dialectOf(c.Protocol, c.Names)
	if err != nil {
		return Connected{}, err
	}
	var joining sync.WaitGroup
	failures := make([]error, c.Count)
	for i := range failures {
		p := f.proxy(fmt.Sprintf("proxy-%d", c.From+i), c.Refuse)
		joining.Go(func() { failures[i] = f.join(ctx, p, c, speaks) })
	}
	joining.Wait()
	if err := few(failures); err != nil {
		return Connected{}, err
	}
	return Connected{Proxies: c.Count, At: control.Now()}, nil
}

// few joins the first errors of many.
func few(all []error) error {
	all = slices.DeleteFunc(all, func(err error) bool { return err == nil })
	if len(all) == 0 {
		return nil
	}
	return fmt.Errorf("%d proxies failed: %w", len(all), errors.Join(all[:min(3, len(all))]...))
}

func (f *Fleet) proxy(id string, refuses bool) *proxy {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, ok := f.byID[id]
	if !ok {
		p = &proxy{id: id, have: map[string]string{}, acked: map[string]ack{}, sums: map[string]uint32{}}
		f.byID[id] = p
		f.proxies = append(f.proxies, p)
	}
	p.refuses = refuses
	return p
}

func (f *Fleet) join(ctx context.Context, p *proxy, c Connect, speaks dialect) error {
	f.mu.Lock()
	if p.stream != nil {
		f.mu.Unlock()
		return fmt.Errorf("%s is connected already", p.id)
	}
	var have map[string]string
	if c.Known {
		have = maps.Clone(p.have)
	} else {
		clear(p.have)
	}
	p.leaving, p.failure = false, nil
	f.mu.Unlock()

	s, err := p.connect(ctx, c, speaks, have)
	if err != nil {
		return err
	}
	f.mu.Lock()
	p.stream = s
	f.mu.Unlock()
	f.running.Go(func() { f.run(p, s, speaks, c.Sums) })
	return nil
}

// Leave closes every stream at once, as the death of a network would, and returns when all are closed. What the proxies
// have stays known.
func (f *Fleet) Leave() {
	f.mu.Lock()
	for _, p := range f.proxies {
		p.leaving = true
		if p.stream != nil {
			p.stream.conn.Close()
		}
		p.release()
	}
	f.mu.Unlock()
	f.running.Wait()
}

// Stall makes proxies from…from+count-1 stop reading; they keep their connections. Only Leave ends it.
func (f *Fleet) Stall(from, count int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := from; i < from+count; i++ {
		p, ok := f.byID[fmt.Sprintf("proxy-%d", i)]
		if !ok {
			return fmt.Errorf("there is no proxy-%d", i)
		}
		held := make(chan struct{})
		p.stalled.Store(&held)
	}
	return nil
}

func (p *proxy) release() {
	if held := p.stalled.Swap(nil); held != nil {
		close(*held)
	}
}

// Await waits until every proxy that reads and accepts has ACKed the versions, by resource name.
func (f *Fleet) Await(ctx context.Context, versions map[string]string, patience time.Duration) (Times, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	defer context.AfterFunc(ctx, f.wake)()
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		missing, err := f.missing(versions)
		if err != nil {
			return Times{}, err
		}
		if len(missing) == 0 {
			return f.times(versions), nil
		}
		for _, p := range missing {
			for !p.holds(versions) && p.failure == nil {
				if ctx.Err() != nil {
					return Times{}, fmt.Errorf("%d proxies do not have it after %v; %s has %v, not %v", len(missing), patience, p.id, p.have, versions)
				}
				f.changed.Wait()
			}
		}
	}
}

func (f *Fleet) wake() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed.Broadcast()
}

func (f *Fleet) missing(versions map[string]string) ([]*proxy, error) {
	var missing []*proxy
	var failures []error
	for _, p := range f.judged() {
		if p.failure != nil {
			failures = append(failures, p.failure)
		} else if !p.holds(versions) {
			missing = append(missing, p)
		}
	}
	return missing, few(failures)
}

// judged are the proxies that are expected to follow: those that neither refuse nor stall nor left.
func (f *Fleet) judged() []*proxy {
	var judged []*proxy
	for _, p := range f.proxies {
		if !p.refuses && !p.leaving && p.stalled.Load() == nil {
			judged = append(judged, p)
		}
	}
	return judged
}

func (p *proxy) holds(versions map[string]string) bool {
	for name, version := range versions {
		if plain(p.acked[name].version) != version {
			return false
		}
	}
	return true
}

// plain is a version without the number of the attempt, which graft adds where the same bytes have to go out again.
func plain(version string) string {
	version, _, _ = strings.Cut(version, "#")
	return version
}
