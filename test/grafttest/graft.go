// Package grafttest runs the graft binary for tests, as a user would: with a folder of documents that the test edits, and
// everything on loopback.
package grafttest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/graft-xds/graft/test/envoytest"
)

// Patience is how long a test waits for what must come; it is no measure of anything.
const Patience = 30 * time.Second

// Graft is a running `graft serve` with a folder of documents and a state folder, which outlive it.
type Graft struct {
	tb      testing.TB
	Dir     string // the documents
	XDS     string // addresses, host:port
	Modules string
	Admin   string
	options envoytest.GraftOptions
	process *envoytest.Graft
	marks   int // of AwaitPublished
}

// New prepares a graft with documents by file name, and starts it; args are further ones of `graft serve`. It ends with the
// test.
func New(tb testing.TB, documents map[string]string, args ...string) *Graft {
	tb.Helper()
	g := &Graft{tb: tb, Dir: tb.TempDir()}
	g.options = envoytest.GraftOptions{
		Binary: os.Getenv(binaryVariable), Config: g.Dir, Dir: tb.TempDir(), Ports: envoytest.Ports(tb, 3),
		Args: append([]string{"--log-level", "debug"}, args...),
	}
	for name, text := range documents {
		g.Write(name, text)
	}
	g.Start()
	tb.Cleanup(func() {
		g.process.Kill()
		if tb.Failed() {
			tb.Logf("graft's log:\n%s", g.Log())
		}
	})
	return g
}

// Start starts it (again), and waits until it is ready.
func (g *Graft) Start() {
	g.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	process, err := envoytest.LaunchGraft(ctx, g.options)
	if err != nil {
		g.tb.Fatal(err)
	}
	g.process, g.XDS, g.Modules, g.Admin = process, process.XDS, process.Modules, process.Admin
}

// Kill ends it by SIGKILL.
func (g *Graft) Kill() { g.process.Kill() }

// Log is what all runs have written.
func (g *Graft) Log() string { return g.process.Log() }

// Write saves a document as an editor does: a new file that takes the place of the old one.
func (g *Graft) Write(name, text string) {
	g.tb.Helper()
	path := filepath.Join(g.Dir, name)
	if err := os.WriteFile(path+".tmp", []byte(text), 0o600); err != nil {
		g.tb.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		g.tb.Fatal(err)
	}
}

// WriteBytes saves a module beside the documents.
func (g *Graft) WriteBytes(name string, data []byte) { g.Write(name, string(data)) }

// Remove deletes a document.
func (g *Graft) Remove(name string) {
	g.tb.Helper()
	if err := os.Remove(filepath.Join(g.Dir, name)); err != nil {
		g.tb.Fatal(err)
	}
}

// Run runs another graft command and returns what it printed, both streams, and its exit code.
func (g *Graft) Run(args ...string) (string, int) {
	g.tb.Helper()
	out, err := exec.Command(g.options.Binary, args...).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out), exit.ExitCode()
	}
	if err != nil {
		g.tb.Fatal(err)
	}
	return string(out), 0
}

// Envoy starts an Envoy that takes everything from this graft.
func (g *Graft) Envoy(version, id, cluster string, args ...string) *envoytest.Envoy {
	g.tb.Helper()
	bootstrap, err := g.process.Bootstrap(id, cluster, args...)
	if err != nil {
		g.tb.Fatal(err)
	}
	return envoytest.Start(g.tb, envoytest.Options{Binary: envoytest.Binary(g.tb, version), Bootstrap: bootstrap})
}
