package main

import (
	"fmt"
	"io"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/snapshot"
)

func newDiff() *cobra.Command {
	var server adminFlags
	cmd := &cobra.Command{
		Use:   "diff FILE...",
		Short: "Print what would change on a running graft if it served these files or folders",
		Long: `Print what would change on a running graft if it served these files or folders instead: for each group of connected
proxies, the xDS resources before and after. Nothing is changed. FILE... are what --config of serve would name.`,
		Args: wantArgs("a file or folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var running []plane.Rendered
			if err := server.get(cmd.Context(), "/render", &running); err != nil {
				return err
			}
			preview, err := previewFiles(cmd.Context(), args, func(config *snapshot.Config) []snapshot.Group {
				groups := make([]snapshot.Group, 0, len(running))
				for _, r := range running {
					groups = append(groups, config.Place(r.Node, r.Foreign, ""))
				}
				return groups
			})
			if err != nil {
				return err
			}
			invalid := printProblems(cmd.ErrOrStderr(), preview.Problems)
			if err := printDiff(cmd.OutOrStdout(), running, preview); err != nil {
				return err
			}
			return invalid
		},
	}
	server.define(cmd.Flags())
	return cmd
}

// printDiff compares group by group.
func printDiff(w io.Writer, running []plane.Rendered, preview *plane.Preview) error {
	same := 0
	for i, r := range running {
		after, err := plane.Render(preview.Result, preview.Groups[i:i+1])
		if err != nil {
			return err
		}
		text := ""
		if len(after) > 0 {
			text = after[0].Text
		}
		name := fmt.Sprintf("node %s, cluster %s", r.Node.ID, r.Node.Cluster)
		if d := diff.Diff(name+" (running)", []byte(r.Text), name+" (with the files)", []byte(text)); len(d) > 0 {
			if _, err := w.Write(d); err != nil {
				return err
			}
			continue
		}
		same++
	}
	if same == len(running) {
		fmt.Fprintln(w, "no difference")
	}
	return nil
}
