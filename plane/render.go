package plane

import (
	"cmp"
	"slices"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/xds"
)

// Rendered is what the proxies of one group get, printed.
type Rendered struct {
	Node    snapshot.Node `json:"node"`              // an example of the group
	Foreign []string      `json:"foreign,omitempty"` // slots that only the proxies name
	Text    string        `json:"text"`
}

// Render prints what the proxies of each group get from res. Groups that res lacks are left out.
func Render(res *snapshot.Result, groups []snapshot.Group) ([]Rendered, error) {
	out := []Rendered{}
	seen := map[string]bool{}
	for _, group := range groups {
		resources := res.Groups[group.Key]
		if resources == nil || seen[group.Key] {
			continue
		}
		seen[group.Key] = true
		text, err := Text(resources)
		if err != nil {
			return nil, err
		}
		out = append(out, Rendered{Node: group.Node, Foreign: group.Foreign, Text: text})
	}
	return out, nil
}

// RenderState prints what the connected proxies get, by cluster and id of an example of each group; without any, what one
// example of each Proxy would get.
func RenderState(state *State, proxies []xds.Proxy) ([]Rendered, error) {
	var groups []snapshot.Group
	for _, p := range proxies {
		groups = append(groups, snapshot.Group{Key: p.Group, Node: p.Node, Foreign: p.Foreign})
	}
	if len(groups) > 0 {
		slices.SortStableFunc(groups, func(a, b snapshot.Group) int {
			return cmp.Or(cmp.Compare(a.Node.Cluster, b.Node.Cluster), cmp.Compare(a.Node.ID, b.Node.ID))
		})
		return Render(state.Result, groups)
	}
	groups = ExampleGroups(state.Config)
	res := snapshot.Build(snapshot.Input{
		Config: state.Config, Modules: state.Modules, Groups: groups,
		Last: &snapshot.Result{Memory: state.Result.Memory}, Options: state.Options,
	})
	return Render(res, groups)
}

// ModuleUse is a module in force and the filters that run it.
type ModuleUse struct {
	ModuleStatus
	Filters []string `json:"filters"`
}

// ModulesOf lists the modules in force, by digest.
func ModulesOf(state *State) []ModuleUse {
	out := []ModuleUse{}
	if state == nil {
		return out
	}
	for _, f := range state.Result.Statuses {
		status := filterStatus(f)
		if status.Module == nil {
			continue
		}
		at := slices.IndexFunc(out, func(m ModuleUse) bool { return m.Digest == status.Module.Digest })
		if at < 0 {
			at = len(out)
			out = append(out, ModuleUse{ModuleStatus: *status.Module})
		}
		out[at].Filters = append(out[at].Filters, status.Name)
	}
	slices.SortFunc(out, func(a, b ModuleUse) int { return cmp.Compare(a.Digest, b.Digest) })
	return out
}
