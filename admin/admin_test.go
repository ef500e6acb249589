package admin

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/graft-xds/graft/plane"
)

func TestAnswers(t *testing.T) {
	before, after := newWorld(), newWorld()
	after.publish(t)
	after.connect()
	const notReady = "not ready: the configuration has not been read yet\n"
	for _, c := range []struct {
		name         string
		graft        *world
		method, path string
		code         int
		kind, body   string // the body begins with this
	}{
		{"alive before the first publish", before, "GET", "/healthz", 200, "text/plain; charset=utf-8", "ok\n"},
		{"not ready before the first publish", before, "GET", "/readyz", 503, "text/plain; charset=utf-8", notReady},
		{"ready after it", after, "GET", "/readyz", 200, "text/plain; charset=utf-8", "ok\n"},
		{"status before it", before, "GET", "/status", 200, "application/json", "{\n  \"ready\": false,\n  \"filters\": [],\n  \"proxies\": [],\n  \"problems\": []\n}\n"},
		{"status", after, "GET", "/status", 200, "application/json", "{\n  \"ready\": true,"},
		{"modules before it", before, "GET", "/modules", 200, "application/json", "[]\n"},
		{"modules", after, "GET", "/modules", 200, "application/json", "[\n  {\n    \"digest\": \"sha256:abcdef\","},
		{"what proxies get, before it", before, "GET", "/render", 503, "text/plain; charset=utf-8", notReady},
		{"what proxies get", after, "GET", "/render", 200, "application/json", "[\n  {\n    \"node\": {"},
		{"metrics before it", before, "GET", "/metrics", 200, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", "# HELP graft_"},
		{"metrics", after, "GET", "/metrics", 200, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", "# HELP graft_"},
		{"the front page", after, "GET", "/", 200, "text/plain; charset=utf-8", "graft: /status"},
		{"what is not there", after, "GET", "/config_dump", 404, "text/plain; charset=utf-8", "404"},
		{"it only reads", after, "POST", "/status", 405, "text/plain; charset=utf-8", "Method Not Allowed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := c.graft.ask(t, c.method, c.path)
			if answer.Code != c.code {
				t.Errorf("%s %s: %d, want %d", c.method, c.path, answer.Code, c.code)
			}
			if kind := answer.Header().Get("Content-Type"); kind != c.kind {
				t.Errorf("content type %q, want %q", kind, c.kind)
			}
			if body := answer.Body.String(); !strings.HasPrefix(body, c.body) {
				t.Errorf("body\n%s\nwant\n%s", body, c.body)
			}
		})
	}
}

// TestStatusIsAPromise holds the shape of /status, on which scripts rely: names may be added, never changed.
func TestStatusIsAPromise(t *testing.T) {
	w := newWorld()
	w.publish(t)
	w.connect()
	const path = "testdata/status.json"
	got := strings.ReplaceAll(w.ask(t, http.MethodGet, "/status").Body.String(), w.proxies[0].Slots[0].Wanted.Revision, "REVISION")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("want (-), got (+); go test ./admin -update\n%s", diff)
	}
}

func TestRenderShowsTheGroupsOfTheConnected(t *testing.T) {
	w := newWorld()
	w.publish(t)
	examples := w.rendered(t)
	w.connect()
	connected := w.rendered(t)
	if len(examples) != 1 || len(connected) != 1 {
		t.Fatalf("%d groups without proxies and %d with; want one each", len(examples), len(connected))
	}
	if examples[0].Node.ID != "edge" || connected[0].Node.ID != "a" {
		t.Errorf("nodes %s and %s, want the example and the first that is connected", examples[0].Node.ID, connected[0].Node.ID)
	}
	if examples[0].Text != connected[0].Text {
		t.Errorf("they get different things:\n%s", cmp.Diff(examples[0].Text, connected[0].Text))
	}
}

func (w *world) rendered(t *testing.T) (all []plane.Rendered) {
	t.Helper()
	if err := json.Unmarshal(w.ask(t, http.MethodGet, "/render").Body.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestRenderTellsWhatCannotBePrinted: a resource that is none is graft's fault, and its reader is told.
func TestRenderTellsWhatCannotBePrinted(t *testing.T) {
	w := newWorld()
	w.publish(t)
	w.connect()
	for _, all := range w.state.Result.Groups[w.proxies[0].Group].Types {
		for i, r := range all {
			bad := *r
			bad.Body = []byte{0xff}
			all[i] = &bad
		}
	}
	answer := w.ask(t, http.MethodGet, "/render")
	if answer.Code != http.StatusInternalServerError || !strings.HasPrefix(answer.Body.String(), "print type.googleapis.com/") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}
