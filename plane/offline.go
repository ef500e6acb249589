package plane

import (
	"context"
	"fmt"
	"strings"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/sources"
)

// Offline takes the steps of Run once, without proxies: what `validate`, `render` and `diff` show is what serve would do.
type Offline struct {
	Set     sources.Set
	Modules Modules
	Build   snapshot.Options
}

// Preview is what Offline found.
type Preview struct {
	Config   *snapshot.Config
	Result   *snapshot.Result
	Groups   []snapshot.Group
	Problems []snapshot.Problem // sorted
}

// Run parses, waits for the outcome of every module, and builds for the groups that choose picks. It returns an error only
// if ctx ends first.
func (o Offline) Run(ctx context.Context, choose func(*snapshot.Config) []snapshot.Group) (*Preview, error) {
	merged := sources.Merge([]sources.Set{o.Set})
	config, problems := snapshot.Parse(merged.Documents, merged.Broken, nil)
	outcomes, err := o.resolve(ctx, snapshot.Wanted(config, snapshot.Memory{}))
	if err != nil {
		return nil, err
	}
	p := &Preview{Config: config, Groups: choose(config)}
	p.Result = snapshot.Build(snapshot.Input{Config: config, Modules: outcomes, Groups: p.Groups, Options: o.Build})
	p.Problems = append(problems, p.Result.Problems...)
	sortProblems(p.Problems)
	return p, nil
}

// resolve waits until something became of every ref.
func (o Offline) resolve(ctx context.Context, refs []snapshot.Ref) (map[snapshot.Ref]snapshot.Outcome, error) {
	var outcomes map[snapshot.Ref]snapshot.Outcome
	o.Modules.Want(refs)
	for {
		missing := ""
		for _, ref := range refs {
			if _, ok := outcomes[ref]; !ok {
				missing = ref.Location
			}
		}
		if missing == "" {
			return outcomes, nil
		}
		select {
		case outcomes = <-o.Modules.Outcomes():
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for module %s: %w", missing, ctx.Err())
		}
	}
}

// Examples makes one node for each Proxy, as its selector asks: a current Envoy with everything built in.
func Examples(config *snapshot.Config) []snapshot.Node {
	traits := snapshot.Traits{FilterChain: true, Wasm: true, Extensions: true}
	if len(config.Proxies) == 0 {
		return []snapshot.Node{{ID: "example", Cluster: "example", Traits: traits}}
	}
	var nodes []snapshot.Node
	for _, proxy := range config.Proxies {
		selector := proxy.Spec.GetNodes()
		nodes = append(nodes, snapshot.Node{
			ID:      example(selector.GetId(), proxy.Key.Name),
			Cluster: example(selector.GetCluster(), proxy.Key.Name),
			Labels:  selector.GetMatchLabels(),
			Traits:  traits,
		})
	}
	return nodes
}

// ExampleGroups are the groups of Examples.
func ExampleGroups(config *snapshot.Config) []snapshot.Group {
	return PlaceAll(config, Examples(config))
}

// PlaceAll gives the group of each node.
func PlaceAll(config *snapshot.Config, nodes []snapshot.Node) []snapshot.Group {
	groups := make([]snapshot.Group, 0, len(nodes))
	for _, node := range nodes {
		groups = append(groups, config.Place(node, nil, ""))
	}
	return groups
}

func example(glob, name string) string {
	if glob == "" {
		return name
	}
	return strings.ReplaceAll(glob, "*", "1")
}
