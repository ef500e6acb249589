package e2e

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// metrics gives the values of one metric of a graft, by its labels as they are written.
func metrics(t *testing.T, g *graft, name string) map[string]float64 {
	t.Helper()
	res, err := http.Get("http://" + g.Admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	out := map[string]float64{}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		rest, ok := strings.CutPrefix(lines.Text(), name)
		if !ok || rest == "" || rest[0] != '{' && rest[0] != ' ' {
			continue
		}
		labels, text, _ := strings.Cut(rest, " ")
		var value float64
		if _, err := fmt.Sscan(text, &value); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		out[labels] = value
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		t.Fatalf("no metric %s", name)
	}
	return out
}
