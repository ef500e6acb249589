package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/graft-xds/graft/test/envoytest"
	"github.com/graft-xds/graft/test/filters"
)

// stage is all that runs during the demo.
type stage struct {
	out     page
	dir     string // a copy of the example, which is edited
	address string // of Envoy's listener
	envoy   *envoytest.Envoy
	loads   []*envoytest.Load
	took    []result
	closers []func()
}

// result is how long one edit took.
type result struct {
	title string
	took  time.Duration
}

func (s *stage) close() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
}

func (s *stage) later(f func()) { s.closers = append(s.closers, f) }

// setUp builds and starts everything, and says what.
func setUp(ctx context.Context, out page) (s *stage, err error) {
	s = &stage{out: out}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.dir, err = os.MkdirTemp("", "graft-demo-"); err != nil {
		return s, err
	}
	s.later(func() { os.RemoveAll(s.dir) })
	root, err := envoytest.Root()
	if err != nil {
		return s, err
	}
	binary, err := s.build(ctx, root)
	if err != nil {
		return s, err
	}
	if err := s.copyExample(ctx, root); err != nil {
		return s, err
	}
	graft, err := envoytest.LaunchGraft(ctx, envoytest.GraftOptions{Binary: binary, Config: filepath.Join(s.dir, "graft.yaml")})
	if err != nil {
		return s, err
	}
	s.later(graft.Kill)
	return s, s.startEnvoy(ctx, root, graft)
}

// build builds graft.
func (s *stage) build(ctx context.Context, root string) (string, error) {
	start := time.Now()
	binary := filepath.Join(s.dir, "graft")
	if err := envoytest.BuildGraft(ctx, binary); err != nil {
		return "", err
	}
	s.out.fact("graft", "built from ./cmd/graft in %s", length(time.Since(start)))
	return binary, nil
}

// copyExample copies graft.yaml with free ports, and the filter's source, and builds the filter.
func (s *stage) copyExample(ctx context.Context, root string) error {
	example := filepath.Join(root, "examples", "quickstart")
	if err := os.CopyFS(filepath.Join(s.dir, "melon"), os.DirFS(filepath.Join(example, "melon"))); err != nil {
		return err
	}
	upstream, err := s.startUpstream()
	if err != nil {
		return err
	}
	ports, err := envoytest.FreePorts(1)
	if err != nil {
		return err
	}
	s.address = "127.0.0.1:" + strconv.Itoa(ports[0])
	text, err := os.ReadFile(filepath.Join(example, "graft.yaml"))
	if err != nil {
		return err
	}
	ported := strings.NewReplacer("127.0.0.1:10000", s.address, "127.0.0.1:8080", upstream).Replace(string(text))
	if err := os.WriteFile(filepath.Join(s.dir, "graft.yaml"), []byte(ported), 0o644); err != nil {
		return err
	}
	start := time.Now()
	module := filepath.Join(s.dir, "melon.wasm")
	if err := filters.Compile(ctx, filepath.Join(s.dir, "melon"), module); err != nil {
		return err
	}
	info, err := os.Stat(module)
	if err != nil {
		return err
	}
	s.out.fact("filter", "built from examples/quickstart/melon in %s: %.1f MB of Wasm", length(time.Since(start)), float64(info.Size())/1e6)
	return nil
}

// startUpstream serves one word on every path.
func (s *stage) startUpstream() (address string, err error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "hi")
	})}
	go func() { _ = server.Serve(listener) }() // returns ErrServerClosed
	s.later(func() { _ = server.Close() })
	return listener.Addr().String(), nil
}

// startEnvoy starts the user's Envoy, or the default one, with the bootstrap that graft prints for it.
func (s *stage) startEnvoy(ctx context.Context, root string, graft *envoytest.Graft) error {
	binary, err := envoytest.Fetch(filepath.Join(root, "test", "tools", "envoy.sh"))
	if err != nil {
		return err
	}
	version, err := exec.CommandContext(ctx, binary, "--version").Output()
	if err != nil {
		return fmt.Errorf("%s --version: %w", binary, err)
	}
	bootstrap, err := graft.Bootstrap("edge-1", "edge")
	if err != nil {
		return err
	}
	start := time.Now()
	if s.envoy, err = envoytest.Launch(ctx, envoytest.Options{Binary: binary, Bootstrap: bootstrap}); err != nil {
		return err
	}
	s.later(s.envoy.Kill)
	if err := s.envoy.Ready(ctx); err != nil {
		return err
	}
	s.out.fact("envoy", "%s, ready in %s with everything from graft", release(string(version)), length(time.Since(start)))
	return nil
}

// release finds the version in what `envoy --version` prints: hash/version/state/kind/tls library.
func release(text string) string {
	if parts := strings.Split(text, "/"); len(parts) > 2 {
		return parts[len(parts)-4]
	}
	return strings.TrimSpace(text)
}
