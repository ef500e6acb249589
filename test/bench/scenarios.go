package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/graft-xds/graft/test/bench/target"
)

// bench is one run.
type bench struct {
	sizes    sizes
	servers  []string
	ledger   *ledger
	log      io.Writer
	progress io.Writer
	profiles string // folder; empty: none
}

func newBench(s sizes, log, progress io.Writer) *bench {
	return &bench{
		sizes: s, servers: append([]string{floor, ours}, others()...),
		ledger: newLedger(log), log: log, progress: progress,
	}
}

// scenario measures one server once.
type scenario struct {
	name    string
	servers []string // nil: all
	run     func(b *bench, ctx context.Context, server string) error
}

func scenarios() []scenario {
	return []scenario{
		{name: "push", run: (*bench).push},
		{name: "idle-tls", run: (*bench).idleTLS},
		{name: "ten", run: (*bench).ten},
		{name: "storm", run: (*bench).storm},
		{name: "stall", servers: []string{floor, ours}, run: (*bench).stall},
		{name: "refuse", servers: []string{ours, "stock"}, run: (*bench).refuse},
		{name: "churn", servers: []string{floor, ours}, run: (*bench).churn},
		{name: "edit", servers: []string{ours}, run: (*bench).edit},
	}
}

// run runs scenarios, every server by turns in each pass, so that a slow moment of the machine meets them all.
func (b *bench) run(ctx context.Context, only []string) error {
	if err := b.sizes.check(); err != nil {
		return err
	}
	for _, s := range scenarios() {
		if only != nil && !slices.Contains(only, s.name) {
			continue
		}
		for pass := range b.sizes.Passes {
			for _, server := range b.servers {
				if s.servers != nil && !slices.Contains(s.servers, server) {
					continue
				}
				fmt.Fprintf(b.progress, "%s, pass %d of %d: %s\n", s.name, pass+1, b.sizes.Passes, server)
				b.ledger.pass = pass
				err := s.run(b, ctx, server)
				switch {
				case err == nil:
				case server == ours || server == floor || ctx.Err() != nil:
					return fmt.Errorf("%s: %w", s.name, err)
				default: // that others do not hold out is a result too
					fmt.Fprintf(io.MultiWriter(b.progress, b.log), "%s, pass %d: %v\n", s.name, pass+1, err)
				}
			}
		}
	}
	return nil
}

func (b *bench) setup(server string, slots ...target.Slot) setup {
	return setup{server: server, proxies: b.sizes.Proxies, slots: slots, sizes: b.sizes, log: b.log, profiles: b.profiles}
}

// within opens a lab, does something in it and closes it.
func (b *bench) within(ctx context.Context, s setup, do func(*lab) error) (err error) {
	l, err := open(ctx, s)
	if err != nil {
		return err
	}
	defer func() {
		if closing := l.close(); err == nil {
			err = closing
		}
	}()
	return do(l)
}
