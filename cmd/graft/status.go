package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/graft-xds/graft/plane"
)

// statusOptions are the flags of `graft status`.
type statusOptions struct {
	server adminFlags
	output string
	watch  bool
	wait   time.Duration
	every  time.Duration // how often a watch asks
}

func newStatus() *cobra.Command {
	o := statusOptions{every: time.Second}
	cmd := &cobra.Command{
		Use:   "status [FILTER...]",
		Short: "Print who runs what: each filter, its module and revision, and what the proxies made of it",
		Long: `Print who runs what: each filter, its module and revision, and of the connected proxies that it is for how many run its
form in force (acked), refused it (nacked, with Envoy's own words below), or do not run it yet (pending). Modules and
revisions are cut to 12 digits; -o json has them whole. Access logs show the revision as %DYNAMIC_METADATA(graft:rev)%.`,
		Example: "  graft status --watch\n  graft status melon -o json",
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.server.define(cmd.Flags())
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "json for scripts")
	cmd.Flags().DurationVar(&o.wait, "wait", 0, "wait so long for graft to be ready")
	cmd.Flags().BoolVarP(&o.watch, "watch", "w", false, "print again whenever something changes")
	completeValues(cmd, "output", "json")
	return cmd
}

func (o *statusOptions) run(ctx context.Context, names []string, stdout, stderr io.Writer) error {
	if o.output != "" && o.output != "json" {
		return usageError("json, or leave it out", "--output %q is not known", o.output)
	}
	if err := o.server.await(ctx, o.wait); err != nil {
		return err
	}
	before, err := o.text(ctx, names)
	if err != nil {
		return err
	}
	fmt.Fprint(stdout, before)
	trouble := ""
	for o.watch {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(o.every):
		}
		text, err := o.text(ctx, names)
		if ctx.Err() != nil {
			continue // it is time to go
		}
		switch {
		case err != nil && err.Error() != trouble: // graft may be on its way back
			trouble = err.Error()
			fmt.Fprintf(stderr, "graft: %v\n", err)
		case err != nil:
		case text != before || trouble != "":
			if o.output == "" {
				fmt.Fprintf(stdout, "\n%s\n", time.Now().Format(consoleTime))
			}
			fmt.Fprint(stdout, text)
			before, trouble = text, ""
		}
	}
	return nil
}

func (o *statusOptions) text(ctx context.Context, names []string) (string, error) {
	var status plane.Status
	if err := o.server.get(ctx, "/status", &status); err != nil {
		return "", err
	}
	return statusText(status, names, o.output)
}
