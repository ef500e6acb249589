package envoytest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// GraftOptions say how `graft serve` is run. Binary and Config are required.
type GraftOptions struct {
	Binary string   // path of the executable; see BuildGraft
	Config string   // file or folder with documents
	Dir    string   // for state and log; the same folder again is the same graft started again. Empty: a new temporary one
	Ports  []int    // xDS, modules, admin; nil: free ones
	Args   []string // further arguments
}

// Graft is a running `graft serve`.
type Graft struct {
	*Process
	XDS, Modules, Admin string // addresses, host:port
	Options             GraftOptions
	cleanup             func()
}

// BuildGraft builds cmd/graft from this source tree into a file.
func BuildGraft(ctx context.Context, output string) error {
	root, err := Root()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", output, "./cmd/graft")
	cmd.Dir = root
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build graft: %w\n%s", err, text)
	}
	return nil
}

// LaunchGraft starts graft and waits until it is ready, not longer than ctx.
func LaunchGraft(ctx context.Context, o GraftOptions) (*Graft, error) {
	cleanup := func() {}
	if o.Dir == "" {
		made, err := os.MkdirTemp("", "graft-serve-")
		if err != nil {
			return nil, err
		}
		o.Dir, cleanup = made, func() { os.RemoveAll(made) }
	}
	g, err := launchGraft(ctx, o)
	if err != nil {
		cleanup()
		return nil, err
	}
	g.cleanup = cleanup
	return g, nil
}

func launchGraft(ctx context.Context, o GraftOptions) (*Graft, error) {
	if o.Ports == nil {
		ports, err := FreePorts(3)
		if err != nil {
			return nil, err
		}
		o.Ports = ports
	}
	at := func(i int) string { return "127.0.0.1:" + strconv.Itoa(o.Ports[i]) }
	g := &Graft{XDS: at(0), Modules: at(1), Admin: at(2), Options: o}
	args := append([]string{
		"serve", "--config", o.Config, "--state-dir", filepath.Join(o.Dir, "state"),
		"--xds", g.XDS, "--modules", g.Modules, "--admin", g.Admin,
	}, o.Args...)
	process, err := StartProcess(exec.Command(o.Binary, args...), filepath.Join(o.Dir, "graft.log"))
	if err != nil {
		return nil, err
	}
	g.Process = process
	err = g.waitFor(ctx, func() error {
		resp, err := http.Get("http://" + g.Admin + "/readyz")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return errors.New("/readyz: " + resp.Status)
		}
		return nil
	})
	if err != nil {
		g.Process.Kill()
		return nil, fmt.Errorf("graft: %w\n%s", err, lastLines(g.Log(), 20))
	}
	return g, nil
}

// StartGraft is LaunchGraft for tests: it ends graft with the test, and shows its log if the test failed.
func StartGraft(tb testing.TB, o GraftOptions) *Graft {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	g, err := LaunchGraft(ctx, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("end of the log of graft %d:\n%s", g.PID(), lastLines(g.Log(), 60))
		}
		g.Kill()
	})
	return g
}

// Bootstrap returns what `graft bootstrap` prints for a node, pointing at this graft.
func (g *Graft) Bootstrap(id, cluster string, args ...string) (string, error) {
	args = append([]string{"bootstrap", "--xds", g.XDS, "--node-id", id, "--node-cluster", cluster}, args...)
	var stderr strings.Builder
	cmd := exec.Command(g.Options.Binary, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("graft bootstrap: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}

// Kill ends graft at once and removes the folder that was made for it.
func (g *Graft) Kill() {
	g.Process.Kill()
	g.cleanup()
}

// Stop ends graft by SIGTERM and removes the folder that was made for it.
func (g *Graft) Stop() error {
	defer g.cleanup()
	return g.Process.Stop(10 * time.Second)
}
