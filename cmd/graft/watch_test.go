package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/graft-xds/graft/plane"
)

// TestStatusWatch goes on while graft is away, and prints only what is new.
func TestStatusWatch(t *testing.T) {
	var now atomic.Pointer[plane.Status]
	now.Store(&plane.Status{Ready: true})
	graft := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if s := now.Load(); s != nil {
			_ = json.NewEncoder(w).Encode(s)
		} else {
			http.Error(w, "on its way back", http.StatusServiceUnavailable)
		}
	}))
	defer graft.Close()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	o := statusOptions{server: adminFlags{address: graft.Listener.Addr().String()}, watch: true, every: time.Millisecond}
	ended := make(chan error, 1)
	go func() { ended <- o.run(ctx, nil, writer, writer); _ = writer.Close() }()

	lines := bufio.NewScanner(reader)
	until := func(want string) {
		t.Helper()
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), want) {
				return
			}
			if text := lines.Text(); strings.HasPrefix(text, "no filters") || strings.HasPrefix(text, "graft: ") {
				t.Errorf("%q was printed before %q", text, want)
			}
		}
		t.Errorf("it ended before it printed %q", want)
	}
	until("no filters")
	until("0 proxies connected")
	now.Store(&plane.Status{Ready: true, Filters: []plane.FilterStatus{{Name: "default/melon"}}})
	until("default/melon")
	until("0 proxies connected")
	now.Store(nil)
	until("graft: graft at " + o.server.address + ": on its way back")
	now.Store(&plane.Status{Ready: true, Filters: []plane.FilterStatus{{Name: "default/melon"}}})
	until("default/melon")
	cancel()
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// TestAwait waits for a graft that is not ready yet, and says what was the matter with one that never is.
func TestAwait(t *testing.T) {
	var asked atomic.Int32
	graft := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
		}
	}))
	defer graft.Close()
	a := adminFlags{address: graft.Listener.Addr().String()}
	if err := a.await(t.Context(), 10*time.Second); err != nil {
		t.Errorf("ready at last, and yet: %v", err)
	}
	asked.Store(-1000)
	if err := a.await(t.Context(), 120*time.Millisecond); err == nil || !strings.HasSuffix(err.Error(), ": not ready") {
		t.Errorf("never ready: %v", err)
	}
}
