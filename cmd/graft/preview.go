package main

import (
	"context"
	"fmt"
	"os"

	"go.uber.org/zap"

	"github.com/graft-xds/graft/module"
	"github.com/graft-xds/graft/module/store"
	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/sources"
	"github.com/graft-xds/graft/sources/file"
)

// previewFiles takes the steps of serve once over files and folders, for the groups that choose picks (nil: one example of
// each Proxy). It leaves nothing behind.
func previewFiles(
	ctx context.Context, paths []string, choose func(*snapshot.Config) []snapshot.Group,
) (*plane.Preview, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	scratch, err := os.MkdirTemp("", "graft-")
	if err != nil {
		return nil, fmt.Errorf("scratch folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	blobs, err := store.New(scratch)
	if err != nil {
		return nil, fmt.Errorf("scratch store: %w", err)
	}
	set, err := readOnce(ctx, paths)
	if err != nil {
		return nil, err
	}
	resolver := module.NewResolver(module.Options{Store: blobs})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = resolver.Run(ctx) // nil: it ends with its context
	}()
	defer func() { cancel(); <-done }()
	if choose == nil {
		choose = plane.ExampleGroups
	}
	build := snapshot.Options{ModuleHost: "127.0.0.1", ModulePort: 18001}
	return plane.Offline{Set: set, Modules: resolver, Build: build}.Run(ctx, choose)
}

// readOnce gives the first set of a file source: everything that is there now.
func readOnce(ctx context.Context, paths []string) (sources.Set, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sets, failed := make(chan sources.Set), make(chan error, 1)
	go func() { failed <- file.New(file.Options{Paths: paths, Logger: zap.NewNop()}).Run(ctx, sets) }()
	select {
	case set := <-sets:
		return set, nil
	case err := <-failed:
		if err == nil {
			err = ctx.Err()
		}
		return sources.Set{}, fmt.Errorf("read %v: %w", paths, err)
	}
}
