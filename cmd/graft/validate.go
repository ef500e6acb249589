package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/graft-xds/graft/snapshot"
)

func newValidate() *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE...",
		Short: "Print the problems that serve would find in files or folders",
		Long: `Print the problems that serve would find in files or folders: each with its place, what is wrong and how to mend it.
Nothing runs and nothing is changed. Exit code 3 if there is a problem that keeps something out of force; a warning alone
is none.`,
		Args: wantArgs("a file or folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			preview, err := previewFiles(cmd.Context(), args, nil)
			if err != nil {
				return err
			}
			if err := printProblems(cmd.ErrOrStderr(), preview.Problems); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "ok: %s, %s\n",
				plural(len(preview.Config.Filters), "filter"), plural(len(preview.Config.Proxies), "proxy", "proxies"))
			return nil
		},
	}
}

// printProblems writes each problem as `graft: where: what` and its hint on the next line. It gives errReported if one of
// them is more than a warning.
func printProblems(w io.Writer, problems []snapshot.Problem) error {
	var err error
	for _, p := range problems {
		if p.Code.Warning() {
			fmt.Fprintf(w, "graft: warning: %s\n", p.Error())
		} else {
			fmt.Fprintf(w, "graft: %s\n", p.Error())
			err = errReported
		}
		if p.Hint != "" {
			fmt.Fprintf(w, "  %s\n", p.Hint)
		}
	}
	return err
}

// severity is how a problem that stands is announced.
func severity(code snapshot.Code) string {
	if code.Warning() {
		return "warning"
	}
	return "problem"
}

// plural gives "1 filter" or "2 filters"; an irregular plural can be told.
func plural(n int, one string, many ...string) string {
	if n == 1 {
		return "1 " + one
	}
	if len(many) > 0 {
		return fmt.Sprintf("%d %s", n, many[0])
	}
	return fmt.Sprintf("%d %ss", n, one)
}
