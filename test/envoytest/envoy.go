package envoytest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Options say how an Envoy is run. Binary and Bootstrap are required.
type Options struct {
	Binary      string   // path of the executable
	Bootstrap   string   // YAML; its admin address is replaced by a free port of 127.0.0.1
	Dir         string   // for the bootstrap and the log; empty: a new temporary folder that goes with the Envoy
	Concurrency int      // workers; 0 means 2
	Args        []string // further arguments, e.g. --component-log-level wasm:debug
}

// Envoy is a running Envoy.
type Envoy struct {
	*Process
	Admin   string // address of the admin interface, host:port
	cleanup func()
}

// startLimit is how long an Envoy may take until it is ready. Compiling a Go module takes it two seconds of its own, and
// many more on a machine that is busy.
const startLimit = 3 * time.Minute

// Launch starts an Envoy and waits until its admin interface answers, not longer than ctx. It need not be ready yet.
func Launch(ctx context.Context, o Options) (*Envoy, error) {
	dir, cleanup := o.Dir, func() {}
	if dir == "" {
		made, err := os.MkdirTemp("", "graft-envoy-")
		if err != nil {
			return nil, err
		}
		dir, cleanup = made, func() { os.RemoveAll(made) }
	}
	e, err := launch(ctx, o, dir)
	if err != nil {
		cleanup()
		return nil, err
	}
	e.cleanup = cleanup
	return e, nil
}

func launch(ctx context.Context, o Options, dir string) (*Envoy, error) {
	bootstrap := filepath.Join(dir, "bootstrap.yaml")
	if err := os.WriteFile(bootstrap, []byte(o.Bootstrap), 0o644); err != nil {
		return nil, err
	}
	adminFile := filepath.Join(dir, "admin.txt")
	if err := os.RemoveAll(adminFile); err != nil {
		return nil, err
	}
	concurrency := o.Concurrency
	if concurrency == 0 {
		concurrency = 2
	}
	args := append([]string{
		"--config-path", bootstrap,
		"--config-yaml", "admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}",
		"--admin-address-path", adminFile,
		"--concurrency", strconv.Itoa(concurrency),
		"--disable-hot-restart", // no shared memory, so any number run side by side and a killed one leaves nothing
		"--log-level", "info",
	}, o.Args...)
	process, err := StartProcess(exec.Command(o.Binary, args...), filepath.Join(dir, "envoy.log"))
	if err != nil {
		return nil, err
	}
	e := &Envoy{Process: process, cleanup: func() {}}
	err = e.waitFor(ctx, func() error {
		text, err := os.ReadFile(adminFile)
		if err != nil {
			return err
		}
		e.Admin = strings.TrimSpace(string(text))
		_, err = e.Get("/server_info")
		return err
	})
	if err != nil {
		e.Kill()
		return nil, fmt.Errorf("envoy: %w\n%s", err, lastLines(e.Log(), 20))
	}
	return e, nil
}

// Start is Launch for tests. It waits until the Envoy is ready, ends it with the test, and shows its log if the test failed.
func Start(tb testing.TB, o Options) *Envoy {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	e, err := Launch(ctx, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("end of the log of Envoy %d:\n%s", e.PID(), lastLines(e.Log(), 60))
		}
		e.Kill()
	})
	if err := e.Ready(ctx); err != nil {
		tb.Fatal(err)
	}
	return e
}

// Ready waits until /ready says LIVE, not longer than ctx. An Envoy with a listener that still warms is not ready.
func (e *Envoy) Ready(ctx context.Context) error {
	err := e.waitFor(ctx, func() error {
		_, err := e.Get("/ready")
		return err
	})
	if err != nil {
		return fmt.Errorf("envoy is not ready: %w\n%s", err, lastLines(e.Log(), 20))
	}
	return nil
}

// Kill ends Envoy at once and removes the folder that was made for it.
func (e *Envoy) Kill() {
	e.Process.Kill()
	e.cleanup()
}

// Stop ends Envoy by SIGTERM and removes the folder that was made for it.
func (e *Envoy) Stop() error {
	defer e.cleanup()
	return e.Process.Stop(10 * time.Second)
}

// lastLines is the end of a log, without the long lists of extensions that Envoy begins with.
func lastLines(log string, n int) string {
	var lines []string
	for line := range strings.Lines(log) {
		if !strings.Contains(line, "[info][main] [source/server/server.cc") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-n):], "")
}
