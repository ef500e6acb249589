// Demo runs graft, a real Envoy and an upstream, edits filters under load, and shows each answer. It needs nothing but Go and
// what test/tools/envoy.sh needs, leaves nothing running, and fails if a single request did.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// limit is how long the whole demo may take, builds on a slow machine included.
const limit = 5 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	err := run(ctx, page{os.Stdout})
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, out page) error {
	out.line("graft: edit a YAML file, and the filter in a running Envoy changes")
	out.line("")
	s, err := setUp(ctx, out)
	if err != nil {
		return err
	}
	defer s.close()
	out.line("")
	out.line("The filter, before any edit:")
	if err := s.curl(ctx, "melon"); err != nil {
		return err
	}
	out.line("")
	out.line("From here to the end, 8 connections (4 HTTP/1.1, 4 HTTP/2) ask for it again and again.")
	if err := s.startLoad(ctx); err != nil {
		return err
	}
	for i, e := range edits() {
		if err := s.edit(ctx, i+1, e); err != nil {
			return err
		}
	}
	return s.sum()
}
