package main

import (
	"context"

	"github.com/graft-xds/graft/test/bench/target"
)

// push publishes configurations, then modules, to proxies that are connected, and in between asks what an idle stream costs.
func (b *bench) push(ctx context.Context, server string) error {
	first := target.Slot{Listener: "web", Bytes: b.sizes.Small}
	s := b.setup(server, first)
	s.sums = b.sizes.Sums
	return b.within(ctx, s, func(l *lab) error {
		if err := l.join(ctx); err != nil {
			return err
		}
		if err := b.series(ctx, l, b.sizes.Small, b.sizes.SmallPushes, 1.5); err != nil {
			return err
		}
		if err := b.idle(ctx, l, "idle stream", 45); err != nil {
			return err
		}
		return b.series(ctx, l, b.sizes.Large, b.sizes.LargePushes, 1.15)
	})
}

// series enters the medians of some publishes of one size.
func (b *bench) series(ctx context.Context, l *lab, bytes, pushes int, aim float64) error {
	if err := l.profile(ctx, "cpu", amount(bytes)); err != nil {
		return err
	}
	var cpu, peak, allocated, last, p99 []float64
	for i := range pushes {
		c, err := l.publish(ctx, []target.Slot{{Listener: "web", Bytes: bytes, Edit: i + 1}})
		if err != nil {
			return err
		}
		cpu = append(cpu, float64(c.CPU.Microseconds())/1e3)
		peak = append(peak, float64(c.Peak)/(1<<20))
		allocated = append(allocated, float64(c.Allocated)/(1<<20))
		last = append(last, float64(c.Last.Microseconds())/1e3)
		p99 = append(p99, float64(c.P99.Microseconds())/1e3)
	}
	if err := l.profile(ctx, "", ""); err != nil {
		return err
	}
	enter := func(what, unit string, values []float64, aim float64) {
		b.ledger.enter(measure{what: amount(bytes) + " publish: " + what, unit: unit, ratio: true, aim: aim, bound: aim > 0}, l.setup.server, median(values))
	}
	enter("server CPU", "ms", cpu, aim)
	b.ledger.enter(measure{what: amount(bytes) + " publish: peak memory", unit: "MB", ratio: true, aim: 1.3, bound: true}, l.setup.server, worst(peak))
	enter("allocated", "MB", allocated, 0)
	enter("p99 ACK", "ms", p99, 0)
	enter("last ACK", "ms", last, 0)
	return nil
}

// idle enters what each connected stream costs in memory while nothing happens.
func (b *bench) idle(ctx context.Context, l *lab, what string, aim float64) error {
	now, err := l.usage(ctx, target.Ask{Settle: true})
	if err != nil {
		return err
	}
	if err := l.profile(ctx, "heap", what); err != nil {
		return err
	}
	each := func(now, before int64) float64 { return float64(now-before) / float64(l.setup.proxies-l.few()) / 1024 }
	server := l.setup.server
	b.ledger.enter(measure{what: what, unit: "KB", aim: aim, bound: true}, server, each(now.RSS, l.base.RSS))
	b.ledger.enter(measure{what: what + ": heap", unit: "KB"}, server, each(now.Heap, l.base.Heap))
	b.ledger.enter(measure{what: what + ": stacks", unit: "KB"}, server, each(now.Stacks, l.base.Stacks))
	return nil
}

// idleTLS asks the same of streams over TLS.
func (b *bench) idleTLS(ctx context.Context, server string) error {
	slot := target.Slot{Listener: "web", Bytes: b.sizes.Small}
	s := b.setup(server, slot)
	s.tls = true
	return b.within(ctx, s, func(l *lab) error {
		if err := l.join(ctx); err != nil {
			return err
		}
		for range 2 {
			slot.Edit++
			if _, err := l.publish(ctx, []target.Slot{slot}); err != nil {
				return err
			}
		}
		return b.idle(ctx, l, "idle stream with TLS", 50)
	})
}
