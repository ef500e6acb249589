package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/graft-xds/graft/admin"
	"github.com/graft-xds/graft/module"
	"github.com/graft-xds/graft/module/store"
	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/sources"
	"github.com/graft-xds/graft/sources/file"
	"github.com/graft-xds/graft/xds"
)

func newServe() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve --config PATH...",
		Short: "Serve filters and proxies from files, and push every change to the connected Envoys",
		Long: `Serve filters and proxies from files or folders (YAML or JSON), and push every change to the connected Envoys.
Files are watched. A setting comes from its flag, from GRAFT_<NAME>, or from the settings file: see graft settings.`,
		Example: "  graft serve --config ./filters",
		Args:    noArgs,
	}
	defineSettings(cmd.Flags())
	cmd.Flags().String(settingsFlag, "", "settings file")
	completeValues(cmd, "log-level", "debug", "info", "warn", "error")
	completeValues(cmd, "log-format", "console", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		_, settings, err := readSettings(cmd.Flags())
		if err != nil {
			return err
		}
		if len(settings.Config) == 0 {
			return usageError("for example: graft serve --config ./filters", "serve needs --config: a file or folder with documents")
		}
		return serve(cmd.Context(), settings, cmd.ErrOrStderr())
	}
	return cmd
}

// serve joins sources → plane → xds and runs until ctx ends. Everything that can fail at the start does so before the
// first proxy is answered.
func serve(ctx context.Context, s Settings, logs io.Writer) error {
	log, err := newLogger(logs, s.LogLevel, s.LogFormat)
	if err != nil {
		return err
	}
	dir, err := plane.OpenDir(s.StateDir)
	if err != nil {
		return &failure{code: exitFailed, err: err, hint: stateDirHint(err)}
	}
	defer func() { _ = dir.Close() }()
	blobs, err := store.New(dir.Modules())
	if err != nil {
		return &failure{code: exitFailed, err: fmt.Errorf("module store: %w", err), hint: "choose another folder with --state-dir"}
	}
	tlsConfig, err := serverTLS(s, log)
	if err != nil {
		return err
	}
	var doors [3]net.Listener
	for i, one := range []struct{ name, addr string }{{"xds", s.XDS}, {"modules", s.Modules}, {"admin", s.Admin}} {
		if doors[i], err = listen(one.name, one.addr); err != nil {
			return err
		}
		defer func() { _ = doors[i].Close() }()
	}
	build, err := s.build(doors[1].Addr())
	if err != nil {
		return err
	}

	server := xds.New(xds.Options{
		Logger: log, TLS: tlsConfig, Ledger: plane.NewLedger(dir), Grace: s.Grace,
		Restamp: func(slot string, good xds.Good, attempt string) (*snapshot.Resource, error) {
			return snapshot.Restamp(slot, good.Revision, good.Body, attempt)
		},
	})
	resolver := module.NewResolver(module.Options{Store: blobs})
	metrics := admin.NewMetrics()
	control := plane.New(plane.Options{
		Sources: []sources.Source{file.New(file.Options{Paths: s.Config, Logger: log})},
		Modules: resolver, Publisher: server, Memory: dir, Build: build, Logger: log, Observe: metrics.Observe,
	})
	registry := prometheus.NewRegistry()
	metrics.Register(registry, control.State, server)
	adminHandler := admin.Handler(admin.Options{State: control.State, Proxies: server.Proxies, Metrics: registry, Logger: log})

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return server.Serve(ctx, doors[0]) })
	group.Go(func() error {
		return serveHTTP(ctx, doors[1], &module.Server{Blobs: resolver, Fetched: server.Fetched}, s.Grace)
	})
	group.Go(func() error { return serveHTTP(ctx, doors[2], adminHandler, s.Grace) })
	group.Go(func() error { return resolver.Run(ctx) })
	group.Go(func() error { return control.Run(ctx) })
	log.Info("graft serves", zap.String("version", version), zap.Strings("config", s.Config), zap.Stringer("xds", doors[0].Addr()),
		zap.Stringer("modules", doors[1].Addr()), zap.Stringer("admin", doors[2].Addr()), zap.Bool("tls", tlsConfig != nil))
	err = group.Wait()
	log.Info("graft stopped")
	return err
}

func stateDirHint(err error) string {
	if errors.Is(err, plane.ErrInUse) {
		return "is another graft running? stop it, or give this one a directory of its own with --state-dir"
	}
	return "choose another with --state-dir"
}

// build gives the settings that show on the wire.
func (s Settings) build(modules net.Addr) (snapshot.Options, error) {
	advertise := s.ModulesAdvertise
	if advertise == "" {
		advertise = modules.String()
	}
	host, port, err := net.SplitHostPort(advertise)
	if err != nil {
		return snapshot.Options{}, usageError("write host:port", "--modules-advertise %q: %w", advertise, err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return snapshot.Options{}, usageError("write host:port", "--modules-advertise %q: %q is no port", advertise, port)
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "" // every address is none that a proxy could be told: all modules go inline until --modules-advertise is set
	}
	return snapshot.Options{InlineLimit: s.InlineLimit, ModuleHost: host, ModulePort: uint32(n)}, nil
}

// serveHTTP serves until ctx ends, then lets requests end for a while.
func serveHTTP(ctx context.Context, l net.Listener, h http.Handler, grace time.Duration) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		stopped <- server.Shutdown(end)
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	if err := <-stopped; err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop %s: %w", l.Addr(), err)
	}
	return nil
}
