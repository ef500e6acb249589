// Command graft is an Envoy xDS control plane that serves HTTP filters, Wasm ones above all, and swaps them in running
// proxies.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // who asks a second time does not want to wait
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes: a promise to scripts.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitInvalid = 3
)

// failure is an error with an exit code and perhaps a hint. It is printed in run and nowhere else.
type failure struct {
	code int
	err  error
	hint string
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func usageError(hint, format string, args ...any) error {
	return &failure{code: exitUsage, err: fmt.Errorf(format, args...), hint: hint}
}

// errReported ends a command whose findings are printed already.
var errReported = &failure{code: exitInvalid, err: errors.New("")}

// run is main without the process: it prints errors and picks the exit code, once and here.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	var f *failure
	if !errors.As(err, &f) {
		f = &failure{code: exitFailed, err: err}
	}
	if f.Error() != "" {
		fmt.Fprintf(stderr, "graft: %v\n", err)
	}
	if f.hint != "" {
		fmt.Fprintf(stderr, "  %s\n", f.hint)
	}
	return f.code
}

// newRoot joins the commands.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "graft",
		Short: "Swap HTTP filters in running Envoys",
		Long: `graft is an Envoy xDS control plane. It takes HTTP filters - Wasm modules, Lua scripts, Envoy's own - from YAML files
and swaps them in running proxies: no restart, no closed connection, no failed request.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError(fmt.Sprintf("see %s --help", cmd.CommandPath()), "%w", err)
	})
	root.AddCommand(newServe(), newBootstrap(), newValidate(), newRender(), newDiff(), newStatus(),
		newSettings(), newCompletion(), newVersion())
	return root
}

func unknownCommand(cmd *cobra.Command, name string) error {
	hint := fmt.Sprintf("see %s --help", cmd.CommandPath())
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		hint = fmt.Sprintf("did you mean %q?", near[0])
	}
	return usageError(hint, "unknown command %q", name)
}

// wantArgs is cobra's check for at least one argument, with our exit code and words.
func wantArgs(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usageError("usage: "+cmd.UseLine(), "%s needs %s", cmd.CommandPath(), what)
		}
		return nil
	}
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError("usage: "+cmd.UseLine(), "%s takes no argument %q", cmd.CommandPath(), args[0])
	}
	return nil
}
