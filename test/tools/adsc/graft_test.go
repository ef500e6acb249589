package adsc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// graft is a running `graft serve`. The tests of the product have more of this, in test/grafttest; here it must do without
// the product's packages, whose requirements would meet Istio's.
type graft struct {
	t               *testing.T
	binary          string
	dir, state, log string
	addresses       [3]string // xDS, modules, admin
	cmd             *exec.Cmd
}

// startGraft builds graft, unless GRAFT_BINARY names one, and starts it with documents by file name.
func startGraft(t *testing.T, documents map[string]string) *graft {
	t.Helper()
	g := &graft{t: t, binary: os.Getenv("GRAFT_BINARY"), dir: t.TempDir(), state: t.TempDir()}
	g.log = filepath.Join(g.state, "log")
	if g.binary == "" {
		g.binary = filepath.Join(t.TempDir(), "graft")
		build := exec.CommandContext(t.Context(), "go", "build", "-o", g.binary, "./cmd/graft")
		build.Dir = filepath.Join("..", "..", "..")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build graft: %v\n%s", err, out)
		}
	}
	for i, port := range freePorts(t, len(g.addresses)) {
		g.addresses[i] = fmt.Sprintf("127.0.0.1:%d", port)
	}
	for name, text := range documents {
		g.write(name, text)
	}
	t.Cleanup(func() {
		g.kill()
		if t.Failed() {
			text, err := os.ReadFile(g.log)
			t.Logf("graft's log (%v):\n%s", err, text)
		}
	})
	g.start()
	return g
}

// freePorts gives different ports on which nothing listens.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // all at the end, so that they differ
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports
}

// start starts it, again too, and waits until it is ready.
func (g *graft) start() {
	g.t.Helper()
	log, err := os.OpenFile(g.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		g.t.Fatal(err)
	}
	defer log.Close()
	g.cmd = exec.CommandContext(context.WithoutCancel(g.t.Context()), g.binary, "serve", "--config", g.dir, "--state-dir", g.state,
		"--xds", g.addresses[0], "--modules", g.addresses[1], "--admin", g.addresses[2])
	g.cmd.Stdout, g.cmd.Stderr = log, log
	if err := g.cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(g.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := g.ready(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			g.t.Fatalf("graft is not ready: %v", err)
		case <-tick.C:
		}
	}
}

func (g *graft) ready(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.addresses[2]+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return errors.Join(err, response.Body.Close())
}

func (g *graft) kill() {
	if g.cmd != nil {
		_ = g.cmd.Process.Kill()
		_ = g.cmd.Wait() // killed, it says
		g.cmd = nil
	}
}

func (g *graft) write(name, text string) {
	g.t.Helper()
	path := filepath.Join(g.dir, name)
	if err := errors.Join(os.WriteFile(path+".tmp", []byte(text), 0o600), os.Rename(path+".tmp", path)); err != nil {
		g.t.Fatal(err)
	}
}

// script is a filter for the slot graft/web and its declared ones, with a comment that a test finds again.
func script(comment string) string {
	return fmt.Sprintf(`
apiVersion: graft.dev/v1alpha1
kind: Filter
metadata: {name: f}
spec:
  lua: {code: "function envoy_on_request() end -- %s"}
  targets: [{listeners: [web]}]
`, comment)
}
