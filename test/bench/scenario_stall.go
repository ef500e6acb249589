package main

import (
	"context"
	"fmt"

	"github.com/graft-xds/graft/test/bench/control"
	"github.com/graft-xds/graft/test/bench/fleet"
	"github.com/graft-xds/graft/test/bench/target"
)

// stall has one proxy in four stop reading while modules are published. The others must not wait for them, and what the
// server keeps for each must not grow.
func (b *bench) stall(ctx context.Context, server string) error {
	const publishes = 4
	slot := target.Slot{Listener: "web", Bytes: b.sizes.Large}
	s := b.setup(server, slot)
	s.proxies = max(20, b.sizes.Proxies/10)
	stalled := s.proxies / 4
	return b.within(ctx, s, func(l *lab) error {
		if err := l.join(ctx); err != nil {
			return err
		}
		before, err := l.usage(ctx, target.Ask{Settle: true})
		if err != nil {
			return err
		}
		if _, err := control.Call[none](ctx, l.fleet, "stall", fleet.Stall{Count: stalled}); err != nil {
			return err
		}
		var last []float64
		for range publishes {
			slot.Edit++
			c, err := l.publish(ctx, []target.Slot{slot})
			if err != nil {
				return err
			}
			last = append(last, float64(c.Last.Microseconds())/1e3)
		}
		after, err := l.usage(ctx, target.Ask{Settle: true})
		if err != nil {
			return err
		}
		if err := l.profile(ctx, "heap", "stalled"); err != nil {
			return err
		}
		seen, err := l.report(ctx)
		if err != nil {
			return err
		}
		if seen.Proxies != s.proxies {
			return fmt.Errorf("%s: %d of %d proxies are connected: %s", server, seen.Proxies, s.proxies, seen.Failure)
		}
		// The modules of all publishes may stay alive, each shared by all that stopped in the middle of it.
		kept := float64(after.Heap-before.Heap-publishes*int64(slot.Bytes)) / float64(stalled) / 1024
		b.ledger.enter(measure{what: "stalled proxy: heap", unit: "KB", aim: 64, bound: true}, server, max(0, kept))
		b.ledger.enter(measure{what: "stalled neighbours: last ACK", unit: "ms", ratio: true}, server, median(last))
		return nil
	})
}
