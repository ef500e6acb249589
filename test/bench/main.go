// Command bench measures graft against floors in the same run: a bare gRPC fan-out of the same bytes, and go-control-plane's
// stock caches. It prints ratios; docs/BENCHMARKS.md tells how to read them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/graft-xds/graft/test/bench/control"
	"github.com/graft-xds/graft/test/bench/fleet"
	"github.com/graft-xds/graft/test/bench/target"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// run is the driver, or the process that the driver started this program as.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if role := os.Getenv(control.RoleVariable); role != "" {
		return play(ctx, role, stdin, stdout)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	size := flags.String("size", "full", "full (2,000 proxies) or small (200, a smoke test)")
	proxies := flags.Int("proxies", 0, "number of proxies, instead of the size's")
	passes := flags.Int("passes", 0, "number of passes, instead of the size's")
	only := flags.String("only", "", "comma-separated scenarios to run; empty: all")
	servers := flags.String("servers", "", "comma-separated servers to compare: bare, graft, stock, linear; empty: all")
	logged := flags.String("log", "", "file for every value measured and the load of the machine; empty: none")
	profiles := flags.String("profiles", "", "existing folder for CPU and heap profiles of the servers; empty: none")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := sizesOf(*size)
	if err != nil {
		return err
	}
	if *proxies > 0 {
		s.Proxies = *proxies
	}
	if *passes > 0 {
		s.Passes = *passes
	}
	log := io.Discard
	if *logged != "" {
		file, err := os.Create(*logged)
		if err != nil {
			return err
		}
		defer file.Close()
		log = file
	}
	b := newBench(s, log, stderr)
	b.profiles = *profiles
	if *servers != "" {
		b.servers = pick(*servers)
	}
	err = b.run(ctx, pick(*only))
	return errors.Join(err, b.ledger.print(stdout))
}

func pick(only string) []string {
	if only == "" {
		return nil
	}
	return strings.Split(only, ",")
}

// play is the life of a process under the driver.
func play(ctx context.Context, role string, stdin io.Reader, stdout io.Writer) error {
	if role == fleet.Role {
		return fleet.Run(ctx, stdin, stdout)
	}
	if server, ok := strings.CutPrefix(role, target.RolePrefix); ok {
		return target.Run(ctx, server, stdin, stdout)
	}
	return fmt.Errorf("no role %q", role)
}
