package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/graft-xds/graft/test/bench/control"
	"github.com/graft-xds/graft/test/bench/fleet"
	"github.com/graft-xds/graft/test/bench/target"
)

// cost is what one publish took.
type cost struct {
	CPU       time.Duration // of the server, until all is quiet
	Peak      int64         // RSS of the server
	Allocated int64
	GCs       uint32
	Median    time.Duration // from the call to the ACK of the proxy in the middle
	P99       time.Duration
	Last      time.Duration
	Payload   int64 // bytes of all responses
	Responses int
}

// envelope is what a response may be longer than the one resource in it: versions, nonce, type URL, framing.
const envelope = 512

// publish changes slots, waits for every proxy and checks that each got the change, once, and nothing else.
func (l *lab) publish(ctx context.Context, slots []target.Slot) (cost, error) {
	prepared, err := control.Call[target.Published](ctx, l.server, "prepare", slots)
	if err != nil {
		return cost{}, err
	}
	if err := l.mark(ctx); err != nil {
		return cost{}, err
	}
	before, err := l.usage(ctx, target.Ask{Settle: true, ResetPeak: true})
	if err != nil {
		return cost{}, err
	}
	pushed, err := control.Call[target.Published](ctx, l.server, "push", none{})
	if err != nil {
		return cost{}, err
	}
	times, err := l.await(ctx, prepared.Versions)
	if err != nil {
		return cost{}, err
	}
	after, err := l.quiet(ctx)
	if err != nil {
		return cost{}, err
	}
	seen, err := l.report(ctx)
	if err != nil {
		return cost{}, err
	}
	changed := l.changed(slots)
	l.slots = slots
	c := cost{
		CPU: after.CPU - before.CPU, Peak: after.Peak, Allocated: after.Allocated - before.Allocated, GCs: after.GCs - before.GCs,
		Median: time.Duration(times.Median - pushed.At), P99: time.Duration(times.P99 - pushed.At), Last: time.Duration(times.Last - pushed.At),
		Payload: seen.Payload, Responses: seen.Responses,
	}
	return c, l.check(seen, times, prepared, changed)
}

func (l *lab) changed(slots []target.Slot) []string {
	var names []string
	for _, s := range slots {
		if !slices.Contains(l.slots, s) {
			names = append(names, s.Resource())
		}
	}
	return names
}

// check holds what the proxies saw against what was pushed: a figure of a server that cheats is no figure.
func (l *lab) check(seen fleet.Report, times fleet.Times, pushed target.Published, changed []string) error {
	complain := func(format string, args ...any) error {
		return fmt.Errorf("%s: "+format, append([]any{l.server.Role}, args...)...)
	}
	want := len(changed)
	if seen.Failed > 0 {
		return complain("%d streams ended: %s", seen.Failed, seen.Failure)
	}
	if seen.Least != want || seen.Most != want && times.Proxies == seen.Proxies {
		return complain("proxies got %d to %d responses, not %d each", seen.Least, seen.Most, want)
	}
	for name, version := range pushed.Versions {
		if got := seen.Versions[name][version]; got < times.Proxies {
			return complain("%d of %d proxies have version %s of %s", got, times.Proxies, version, name)
		}
		if got := seen.Sums[name]; l.setup.sums && slices.Contains(changed, name) && !slices.Equal(got, []uint32{pushed.Sums[name]}) {
			return complain("bodies of %s have checksums %x, not %x", name, got, pushed.Sums[name])
		}
	}
	var size int64
	for _, name := range changed {
		size += pushed.Sizes[name]
	}
	if extra := seen.Payload/int64(max(1, times.Proxies)) - size; times.Proxies == seen.Proxies && (extra < 0 || extra > int64(want*envelope)) {
		return complain("each proxy got %d bytes for resources of %d", seen.Payload/int64(times.Proxies), size)
	}
	return nil
}
