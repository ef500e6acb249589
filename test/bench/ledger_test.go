package main

import (
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTableShowsRatiosOfTheSamePass(t *testing.T) {
	l := newLedger(io.Discard)
	cpu := measure{what: "CPU", unit: "ms", ratio: true, aim: 1.15, bound: true}
	for pass, base := range []float64{100, 200, 50} { // the machine was slow in the second pass
		l.pass = pass
		l.enter(cpu, floor, base)
		l.enter(cpu, ours, base*[]float64{1.1, 1.1, 1.3}[pass])
		if pass != 1 { // it failed in the second
			l.enter(cpu, "stock", base*6)
		}
	}
	l.enter(measure{what: "idle", unit: "KB", aim: 45, bound: true}, ours, 46.25)
	l.enter(measure{what: "payload", unit: "B", bound: true}, ours, 0)
	l.enter(measure{what: "ACK", unit: "ms", ratio: true}, floor, 10)
	want := [][]string{
		{"measure", "graft", "worst", "aim", "", "floor", "stock", "linear"},
		{"CPU", "1.10 ×", "1.30 ×", "≤ 1.15 ×", "pass", "100 ms", "6.00 ×", "-"},
		{"idle", "46.2 KB", "46.2 KB", "≤ 45 KB", "miss", "-", "-", "-"},
		{"payload", "0 B", "0 B", "≤ 0 B", "pass", "-", "-", "-"},
		{"ACK", "-", "-", "-", "", "10 ms", "-", "-"},
	}
	if diff := cmp.Diff(want, l.rows()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"idle"}, l.missed()); diff != "" {
		t.Error(diff)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 3}, 3},
		{[]float64{1, 2, 3, 10}, 2.5},
	} {
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v is %v, not %v", c.values, got, c.want)
		}
	}
}
