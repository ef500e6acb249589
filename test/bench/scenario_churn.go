package main

import (
	"context"

	"github.com/graft-xds/graft/test/bench/target"
)

// churn has proxies that nobody has seen before come and go, again and again: what a server keeps of those that left must
// not grow.
func (b *bench) churn(ctx context.Context, server string) error {
	const rounds = 5 // after the first, which fills what a server keeps once
	s := b.setup(server, target.Slot{Listener: "web", Bytes: b.sizes.Small})
	return b.within(ctx, s, func(l *lab) error {
		var first, last target.Usage
		for round := range rounds + 1 {
			c := l.connection()
			c.From = round * c.Count
			if err := l.connect(ctx, c); err != nil {
				return err
			}
			if _, err := l.await(ctx, l.begun.Versions); err != nil {
				return err
			}
			if err := l.leave(ctx); err != nil {
				return err
			}
			if _, err := l.quiet(ctx); err != nil {
				return err
			}
			var err error
			if last, err = l.usage(ctx, target.Ask{Settle: true}); err != nil {
				return err
			}
			if round == 0 {
				first = last
			}
		}
		gone := float64(rounds * l.setup.proxies)
		b.ledger.enter(measure{what: "churn: heap for each proxy that left", unit: "KB", aim: 1, bound: true}, server, float64(last.Heap-first.Heap)/gone/1024)
		return nil
	})
}
