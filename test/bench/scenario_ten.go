package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/graft-xds/graft/test/bench/target"
)

// ten changes one of ten resources. A large neighbour makes a server that looks at all of them show it.
func (b *bench) ten(ctx context.Context, server string) error {
	slots := []target.Slot{{Listener: "web0", Bytes: b.sizes.Neighbour}}
	for i := 1; i < 10; i++ {
		slots = append(slots, target.Slot{Listener: fmt.Sprintf("web%d", i), Bytes: b.sizes.Small})
	}
	return b.within(ctx, b.setup(server, slots...), func(l *lab) error {
		if err := l.join(ctx); err != nil {
			return err
		}
		if err := l.profile(ctx, "cpu", "ten"); err != nil {
			return err
		}
		var cpu, extra []float64
		for range b.sizes.SmallPushes {
			slots = slices.Clone(slots)
			slots[7].Edit++
			c, err := l.publish(ctx, slots)
			if err != nil {
				return err
			}
			cpu = append(cpu, float64(c.CPU.Microseconds())/1e3)
			extra = append(extra, float64(c.Payload)/float64(l.setup.proxies)-float64(l.begun.Sizes[slots[7].Resource()]))
		}
		if err := l.profile(ctx, "", ""); err != nil {
			return err
		}
		b.ledger.enter(measure{what: "one of ten: server CPU", unit: "ms", ratio: true, aim: 1.5, bound: true}, server, median(cpu))
		b.ledger.enter(measure{what: "one of ten: bytes beside it", unit: "B", aim: envelope, bound: true}, server, worst(extra))
		return nil
	})
}
