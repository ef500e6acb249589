package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/graft-xds/graft/test/bench/target"
)

// storm kills the server, starts it again and has every proxy come back at once with the versions that it has. Nothing may
// be sent; a publish afterwards shows that every one of them is served.
func (b *bench) storm(ctx context.Context, server string) error {
	slot := target.Slot{Listener: "web", Bytes: b.sizes.Neighbour}
	return b.within(ctx, b.setup(server, slot), func(l *lab) error {
		if err := l.join(ctx); err != nil {
			return err
		}
		l.server.Kill()
		if err := l.leave(ctx); err != nil {
			return err
		}
		if err := l.serve(ctx); err != nil {
			return err
		}
		if err := l.mark(ctx); err != nil {
			return err
		}
		again := l.connection()
		again.Known = true
		if err := l.connect(ctx, again); err != nil {
			return err
		}
		used, err := l.quiet(ctx)
		if err != nil {
			return err
		}
		seen, err := l.report(ctx)
		if err != nil {
			return err
		}
		if seen.Proxies != l.setup.proxies {
			return fmt.Errorf("%s: %d of %d proxies are connected: %s", server, seen.Proxies, l.setup.proxies, seen.Failure)
		}
		b.ledger.enter(measure{what: "storm: payload", unit: "B", bound: true}, server, float64(seen.Payload))
		b.ledger.enter(measure{what: "storm: server CPU", unit: "ms", ratio: true}, server, float64((used.CPU-l.empty.CPU).Microseconds())/1e3)
		slot.Edit++
		_, err = l.publish(ctx, slices.Clone([]target.Slot{slot}))
		return err
	})
}
