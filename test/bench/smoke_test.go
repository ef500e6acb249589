package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/graft-xds/graft/test/bench/control"
	"github.com/graft-xds/graft/test/bench/edit"
	"github.com/graft-xds/graft/test/envoytest"
)

// TestMain is also the servers and the fleet that TestSmoke starts.
func TestMain(m *testing.M) {
	if role := os.Getenv(control.RoleVariable); role != "" {
		if err := play(context.Background(), role, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestSmoke runs every scenario in small. It judges what does not depend on the machine: that each publish reaches every
// proxy once with the right version and bytes (publish checks that itself), that nothing is sent which need not be, and that
// every measure has a value.
func TestSmoke(t *testing.T) {
	if testing.Short() {
		t.Skip("starts servers and hundreds of streams")
	}
	s, err := sizesOf("small")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(s, t.Output(), t.Output())
	if err := b.run(t.Context(), []string{"push", "idle-tls", "ten", "storm", "stall", "refuse", "churn"}); err != nil {
		t.Fatal(err)
	}
	for _, m := range b.ledger.measures {
		if len(b.ledger.of(m, ours)) != s.Passes {
			t.Errorf("%s: no value of ours", m.what)
		}
	}
	never := []string{
		"one of ten: bytes beside it", "storm: payload", "stalled proxy: heap",
		"refusing proxy, delta: answers a second", "refusing proxy, sotw: answers a second",
	}
	for _, what := range never {
		if slices.Contains(b.ledger.missed(), what) {
			t.Errorf("%s: %v", what, b.ledger.values[what][ours])
		}
	}
}

// TestEdit saves files under a real Envoy.
func TestEdit(t *testing.T) {
	if testing.Short() {
		t.Skip("starts an Envoy")
	}
	rig, err := edit.Start(t.Context(), envoytest.Binary(t, "1.40"))
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"config", "lua"} {
		s, err := rig.Edit(t.Context(), kind)
		if err != nil {
			t.Fatal(err)
		}
		if s.Plane <= 0 || s.Envoy <= 0 || s.ACK != s.Plane+s.Envoy || s.Answer < s.Plane {
			t.Errorf("%s: %+v", kind, s)
		}
	}
	if err := rig.Stop(); err != nil {
		t.Error(err)
	}
}
