package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/graft-xds/graft/test/bench/control"
	"github.com/graft-xds/graft/test/bench/fleet"
	"github.com/graft-xds/graft/test/bench/target"
)

// lab is one server and one fleet, each in a process of its own.
type lab struct {
	setup  setup
	server *control.Child
	fleet  *control.Child
	begun  target.Begun
	slots  []target.Slot // as published last
	empty  target.Usage  // of the server before any proxy came
	base   target.Usage  // of the server when the first few were there
}

// setup is what a lab consists of.
type setup struct {
	server   string // "bare", "stock", "linear" or "graft"
	protocol string // "" is delta
	proxies  int
	tls      bool
	slots    []target.Slot
	sums     bool // proxies check the bodies too
	sizes    sizes
	log      io.Writer
	profiles string // folder for profiles of the server; empty: none
}

// none is a request or a reply without content.
type none struct{}

// open starts both processes. No proxy is connected yet.
func open(ctx context.Context, s setup) (*lab, error) {
	l := &lab{setup: s, slots: s.slots}
	var err error
	if l.fleet, err = control.Start(fleet.Role, s.log); err != nil {
		return nil, err
	}
	if _, err = control.Call[none](ctx, l.fleet, "begin", fleet.Begin{Limit: mostBytes}); err == nil {
		err = l.serve(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// serve starts the server, for the first time or again.
func (l *lab) serve(ctx context.Context) (err error) {
	if l.server, err = control.Start(target.RolePrefix+l.setup.server, l.setup.log); err != nil {
		return err
	}
	l.begun, err = control.Call[target.Begun](ctx, l.server, "begin", target.Begin{
		Fleet: target.Fleet{Count: l.setup.proxies, Protocol: l.setup.protocol},
		Slots: l.slots, TLS: l.setup.tls, Memory: l.setup.sizes.Memory,
	})
	if err != nil {
		return err
	}
	l.empty, err = l.usage(ctx, target.Ask{Settle: true})
	return err
}

// connection is how proxies of this lab connect, all of them unless changed.
func (l *lab) connection() fleet.Connect {
	c := fleet.Connect{
		Addr: l.begun.Addr, TLS: l.setup.tls, Protocol: l.setup.protocol, Cluster: target.Cluster,
		Count: l.setup.proxies, Sums: l.setup.sums,
	}
	for _, s := range l.slots {
		c.Names = append(c.Names, s.Resource())
	}
	return c
}

func (l *lab) connect(ctx context.Context, c fleet.Connect) error {
	_, err := control.Call[fleet.Connected](ctx, l.fleet, "connect", c)
	return err
}

// join connects all proxies and waits until each has what the server serves. A tenth comes first: what the server uses then
// is the base that the memory of further streams is counted from, so that what it needs once is not in it.
func (l *lab) join(ctx context.Context) (err error) {
	first := l.connection()
	first.Count = l.few()
	if err := l.connect(ctx, first); err != nil {
		return err
	}
	if _, err := l.await(ctx, l.begun.Versions); err != nil {
		return err
	}
	if l.base, err = l.usage(ctx, target.Ask{Settle: true}); err != nil {
		return err
	}
	rest := l.connection()
	rest.From, rest.Count = first.Count, rest.Count-first.Count
	if err := l.connect(ctx, rest); err != nil {
		return err
	}
	_, err = l.await(ctx, l.begun.Versions)
	return err
}

// few is how many proxies come first.
func (l *lab) few() int { return l.setup.proxies / 10 }

func (l *lab) await(ctx context.Context, versions map[string]string) (fleet.Times, error) {
	return control.Call[fleet.Times](ctx, l.fleet, "await", fleet.Wait{Versions: versions, Patience: l.setup.sizes.Patience})
}

func (l *lab) mark(ctx context.Context) error {
	_, err := control.Call[none](ctx, l.fleet, "mark", none{})
	return err
}

func (l *lab) report(ctx context.Context) (fleet.Report, error) {
	return control.Call[fleet.Report](ctx, l.fleet, "report", none{})
}

func (l *lab) leave(ctx context.Context) error {
	_, err := control.Call[none](ctx, l.fleet, "leave", none{})
	return err
}

func (l *lab) usage(ctx context.Context, ask target.Ask) (target.Usage, error) {
	return control.Call[target.Usage](ctx, l.server, "usage", ask)
}

// quiet waits until the server does nothing any more and tells what it has used.
func (l *lab) quiet(ctx context.Context) (target.Usage, error) {
	const (
		pause = 50 * time.Millisecond
		idle  = 2 * time.Millisecond // CPU in a pause: the measuring itself takes some
		most  = 100
	)
	last, err := l.usage(ctx, target.Ask{})
	for range most {
		if err != nil {
			return last, err
		}
		select {
		case <-ctx.Done():
			return last, ctx.Err()
		case <-time.After(pause):
		}
		now, err := l.usage(ctx, target.Ask{})
		if err != nil || now.CPU-last.CPU < idle {
			return now, err
		}
		last = now
	}
	return last, fmt.Errorf("%s: still busy after %v", l.server.Role, most*pause)
}

// heard waits until every proxy that accepts has got something since the mark, and reports.
func (l *lab) heard(ctx context.Context) (fleet.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, l.setup.sizes.Patience)
	defer cancel()
	for {
		seen, err := l.report(ctx)
		if err != nil || seen.Least > 0 {
			return seen, err
		}
		select {
		case <-ctx.Done():
			return seen, fmt.Errorf("%s: some proxies got nothing", l.server.Role)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// profile writes a profile of the server if profiles were asked for; "cpu" lasts until the next one, "" ends it.
func (l *lab) profile(ctx context.Context, kind, name string) error {
	if l.setup.profiles == "" {
		return nil
	}
	path := filepath.Join(l.setup.profiles, l.setup.server+"-"+name+"."+kind)
	_, err := control.Call[none](ctx, l.server, "profile", target.Profile{Kind: kind, Path: path})
	return err
}

func (l *lab) close() error {
	var failures []error
	if l.fleet != nil {
		failures = append(failures, l.fleet.Close())
	}
	if l.server != nil {
		failures = append(failures, l.server.Close())
	}
	return errors.Join(failures...)
}
