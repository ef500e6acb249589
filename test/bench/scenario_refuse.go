package main

import (
	"context"
	"time"

	"github.com/graft-xds/graft/test/bench/control"
	"github.com/graft-xds/graft/test/bench/fleet"
	"github.com/graft-xds/graft/test/bench/target"
)

// refuse has one proxy in ten NACK everything, and counts what it is sent while one publish is all that happens.
func (b *bench) refuse(ctx context.Context, server string) error {
	for _, protocol := range []string{"delta", "sotw"} {
		if err := b.refuseOver(ctx, server, protocol); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) refuseOver(ctx context.Context, server, protocol string) error {
	slot := target.Slot{Listener: "web", Bytes: b.sizes.Small}
	s := b.setup(server, slot)
	s.proxies, s.protocol = 10, protocol
	return b.within(ctx, s, func(l *lab) error {
		accepting, refusing := l.connection(), l.connection()
		accepting.Count--
		refusing.From, refusing.Count, refusing.Refuse = accepting.Count, 1, true
		for _, c := range []fleet.Connect{accepting, refusing} {
			if err := l.connect(ctx, c); err != nil {
				return err
			}
		}
		if _, err := l.heard(ctx); err != nil {
			return err
		}
		slot.Edit++
		if _, err := control.Call[target.Published](ctx, l.server, "prepare", []target.Slot{slot}); err != nil {
			return err
		}
		if err := l.mark(ctx); err != nil {
			return err
		}
		if _, err := control.Call[target.Published](ctx, l.server, "push", none{}); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(b.sizes.Refusing):
		}
		seen, err := l.heard(ctx)
		if err != nil {
			return err
		}
		b.ledger.enter(measure{
			what: "refusing proxy, " + protocol + ": answers a second", unit: "", aim: 2 / b.sizes.Refusing.Seconds(), bound: true,
		}, server, float64(seen.Most)/b.sizes.Refusing.Seconds())
		return nil
	})
}
