package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/snapshot"
)

// nodeFlags describe a proxy on the command line.
type nodeFlags struct {
	ID, Cluster string
	Labels      map[string]string
	Declared    bool
}

func (n *nodeFlags) define(flags *pflag.FlagSet) {
	flags.StringVar(&n.ID, "node-id", "", "id of the node")
	flags.StringVar(&n.Cluster, "node-cluster", "", "cluster of the node")
	flags.StringToStringVar(&n.Labels, "label", nil, "label of the node, key=value; repeatable")
	flags.BoolVar(&n.Declared, "declared", false,
		"as a proxy without envoy.filters.http.filter_chain (Envoy before 1.39, Istio's) gets it: one filter a slot")
}

// nodes gives the described node, or none if nothing was said.
func (n *nodeFlags) nodes() []snapshot.Node {
	if n.ID == "" && n.Cluster == "" && len(n.Labels) == 0 {
		return nil
	}
	return []snapshot.Node{{
		ID: n.ID, Cluster: n.Cluster, Labels: n.Labels,
		Traits: snapshot.Traits{Wasm: true, Extensions: true, FilterChain: !n.Declared},
	}}
}

func newRender() *cobra.Command {
	var node nodeFlags
	cmd := &cobra.Command{
		Use:   "render FILE...",
		Short: "Print the xDS resources that a proxy would get from files or folders",
		Long: `Print the xDS resources that a proxy would get from files or folders, as YAML: for the node that the flags describe,
or for one example of each Proxy document. Modules are named by size and digest.`,
		Example: "  graft render graft.yaml --node-id edge-1 --node-cluster edge",
		Args:    wantArgs("a file or folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			preview, err := previewFiles(cmd.Context(), args, node.groups)
			if err != nil {
				return err
			}
			invalid := printProblems(cmd.ErrOrStderr(), preview.Problems)
			rendered, err := plane.Render(preview.Result, preview.Groups)
			if err != nil {
				return err
			}
			for _, r := range rendered {
				fmt.Fprintf(cmd.OutOrStdout(), "# node %s, cluster %s\n%s", r.Node.ID, r.Node.Cluster, r.Text)
			}
			return invalid
		},
	}
	node.define(cmd.Flags())
	return cmd
}

// groups gives the group of the described node, or one for each Proxy.
func (n *nodeFlags) groups(config *snapshot.Config) []snapshot.Group {
	nodes := n.nodes()
	if nodes == nil {
		nodes = plane.Examples(config)
	}
	for i := range nodes {
		nodes[i].Traits.FilterChain = !n.Declared
	}
	return plane.PlaceAll(config, nodes)
}
