package main

import (
	"context"
	"errors"
	"time"

	"github.com/graft-xds/graft/test/bench/edit"
	"github.com/graft-xds/graft/test/envoytest"
)

// edit saves files under a real Envoy and enters the medians of where the time went.
func (b *bench) edit(ctx context.Context, server string) (err error) {
	envoy, err := envoytest.Find("1.40")
	if err != nil {
		return err
	}
	rig, err := edit.Start(ctx, envoy)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rig.Stop()) }()
	for _, kind := range []string{"config", "lua"} {
		var splits []edit.Split
		for range b.sizes.Edits {
			s, err := rig.Edit(ctx, kind)
			if err != nil {
				return err
			}
			splits = append(splits, s)
		}
		b.enterSplits(server, kind, splits)
	}
	return nil
}

func (b *bench) enterSplits(server, kind string, splits []edit.Split) {
	for _, part := range []struct {
		what string
		aim  float64
		of   func(edit.Split) time.Duration
	}{
		{"save to ACK", 0, func(s edit.Split) time.Duration { return s.ACK }},
		{"save to first new answer", 0, func(s edit.Split) time.Duration { return s.Answer }},
		{"graft's share", 10, func(s edit.Split) time.Duration { return s.Plane }},
		{"- watch", 0, func(s edit.Split) time.Duration { return s.Watch }},
		{"- parse", 0, func(s edit.Split) time.Duration { return s.Parse }},
		{"- modules", 0, func(s edit.Split) time.Duration { return s.Modules }},
		{"- build", 0, func(s edit.Split) time.Duration { return s.Build }},
		{"- publish", 0, func(s edit.Split) time.Duration { return s.Publish }},
		{"Envoy's share", 0, func(s edit.Split) time.Duration { return s.Envoy }},
	} {
		var values []float64
		for _, s := range splits {
			values = append(values, float64(part.of(s).Microseconds())/1e3)
		}
		b.ledger.enter(measure{what: kind + " edit: " + part.what, unit: "ms", aim: part.aim, bound: part.aim > 0}, server, median(values))
	}
}
