package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// measure is one thing that is measured of every server.
type measure struct {
	what string
	unit string
	// ratio: judged, and shown, as a multiple of the floor's; else as it is.
	ratio bool
	aim   float64 // at most; 0 with no bound
	bound bool
}

// ledger holds every value: by measure and server, one for each pass.
type ledger struct {
	measures []measure // in the order of their first value
	values   map[string]map[string]map[int]float64
	pass     int // that values are entered for
	log      io.Writer
}

const (
	ours  = "graft"
	floor = "bare"
)

// others are the servers beside ours and the floor, in the order of the columns.
func others() []string { return []string{"stock", "linear"} }

func newLedger(log io.Writer) *ledger {
	return &ledger{values: map[string]map[string]map[int]float64{}, log: log}
}

// enter adds a value of one pass.
func (l *ledger) enter(m measure, server string, value float64) {
	if l.values[m.what] == nil {
		l.values[m.what] = map[string]map[int]float64{}
		l.measures = append(l.measures, m)
	}
	if l.values[m.what][server] == nil {
		l.values[m.what][server] = map[int]float64{}
	}
	l.values[m.what][server][l.pass] = value
	fmt.Fprintf(l.log, "%s\t%s\t%s\t%.4g %s\tload %s\n", time.Now().Format(time.TimeOnly), m.what, server, value, m.unit, load())
}

// load is the load average of the machine, for the log: a figure from a busy machine is to be read as such.
func load() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(raw))[:3], " ")
}

// median is the value in the middle, worst the largest.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return math.NaN()
	}
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}

func worst(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return slices.Max(values)
}

// of gives what is shown of a server: its values in the order of the passes, divided by the floor's of the same pass where m
// is a ratio.
func (l *ledger) of(m measure, server string) []float64 {
	values := l.values[m.what][server]
	var shown []float64
	for _, pass := range slices.Sorted(maps.Keys(values)) {
		value := values[pass]
		if m.ratio {
			base, ok := l.values[m.what][floor][pass]
			if !ok {
				continue
			}
			value /= base
		}
		shown = append(shown, value)
	}
	return shown
}

// base is the floor's own median.
func (l *ledger) base(m measure) float64 {
	return median(slices.Collect(maps.Values(l.values[m.what][floor])))
}

// verdict judges our median by the aim.
func (l *ledger) verdict(m measure) string {
	got := l.of(m, ours)
	switch {
	case !m.bound || len(got) == 0:
		return ""
	case median(got) <= m.aim:
		return "pass"
	}
	return "miss"
}

// rows is the table, its head first.
func (l *ledger) rows() [][]string {
	table := [][]string{append([]string{"measure", "graft", "worst", "aim", "", "floor"}, others()...)}
	for _, m := range l.measures {
		got := l.of(m, ours)
		row := []string{m.what, m.show(median(got)), m.show(worst(got)), m.shownAim(), l.verdict(m), m.plain(l.base(m))}
		for _, server := range others() {
			row = append(row, m.show(median(l.of(m, server))))
		}
		table = append(table, row)
	}
	return table
}

// print writes the table.
func (l *ledger) print(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range l.rows() {
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}

func (m measure) shownAim() string {
	if !m.bound {
		return "-"
	}
	return "≤ " + m.show(m.aim)
}

func (m measure) show(value float64) string {
	switch {
	case math.IsNaN(value):
		return "-"
	case m.ratio:
		return fmt.Sprintf("%.2f ×", value)
	}
	return m.plain(value)
}

func (m measure) plain(value float64) string {
	if math.IsNaN(value) {
		return "-"
	}
	digits := 0
	if math.Abs(value) < 100 && value != math.Trunc(value) {
		digits = 1
	}
	return strings.TrimSpace(fmt.Sprintf("%.*f %s", digits, value, m.unit))
}

// missed names the measures that missed their aim.
func (l *ledger) missed() []string {
	var missed []string
	for _, m := range l.measures {
		if l.verdict(m) == "miss" {
			missed = append(missed, m.what)
		}
	}
	slices.SortFunc(missed, cmp.Compare[string])
	return missed
}
