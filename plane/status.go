package plane

import (
	"slices"
	"time"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/xds"
)

// Status answers "who runs what" at one moment. Its JSON form is a promise to scripts.
type Status struct {
	Ready    bool           `json:"ready"`
	At       time.Time      `json:"publishedAt,omitzero"` // when the result in force was published
	Filters  []FilterStatus `json:"filters"`
	Proxies  []ProxyStatus  `json:"proxies"`
	Problems []Problem      `json:"problems"`
}

// FilterStatus is one filter: what is in force, and where.
type FilterStatus struct {
	Name      string        `json:"name"` // namespace/name
	Module    *ModuleStatus `json:"module,omitempty"`
	Revisions []string      `json:"revisions"` // of the contents that carry it, as access logs show them
	Newest    bool          `json:"newest"`    // the form in force is the one that was written last
	Waiting   bool          `json:"waiting,omitempty"`
	Targeted  int           `json:"targeted"` // connected proxies with a slot that carries it
	Acked     int           `json:"acked"`
	Nacked    int           `json:"nacked"`
	Pending   int           `json:"pending"`
	Refusals  []Refusal     `json:"refusals,omitempty"`
	Problems  []string      `json:"problems,omitempty"` // what keeps the newest form out
}

// ModuleStatus names the module of the form in force.
type ModuleStatus struct {
	Digest string `json:"digest"`
	Size   int    `json:"size"`
	ABI    string `json:"abi"`
}

// Refusal is a NACK that stands: what the proxy was sent last it does not run.
type Refusal struct {
	Proxy    string    `json:"proxy"`
	Resource string    `json:"resource"`
	Revision string    `json:"revision"`
	Text     string    `json:"text"` // Envoy's own words
	At       time.Time `json:"at,omitzero"`
}

// ProxyStatus is one connected proxy.
type ProxyStatus struct {
	ID        string       `json:"id"`
	Cluster   string       `json:"cluster"`
	Version   string       `json:"version,omitempty"`
	Since     time.Time    `json:"since,omitzero"`
	Slots     []SlotStatus `json:"slots"`
	Refusals  []Refusal    `json:"refusals,omitempty"` // of listeners, routes, clusters, endpoints and secrets
	ChainSlot bool         `json:"chainSlot"`
}

// SlotStatus is one slot of a proxy.
type SlotStatus struct {
	Name    string   `json:"name"`
	Wanted  string   `json:"wanted"`            // revision that it should run
	Running string   `json:"running,omitempty"` // revision that it ACKed last
	Filters []string `json:"filters"`           // what it runs, in order
	Refusal *Refusal `json:"refusal,omitempty"`
}

// Problem is a snapshot.Problem as JSON.
type Problem struct {
	Where string `json:"where"`
	Code  string `json:"code"`
	What  string `json:"what"`
	Hint  string `json:"hint,omitempty"`
}

// StatusOf joins what was published with what the proxies said. A nil state is a graft that has not published yet.
func StatusOf(state *State, proxies []xds.Proxy) Status {
	s := Status{Filters: []FilterStatus{}, Proxies: []ProxyStatus{}, Problems: []Problem{}}
	proxies = joinStreams(proxies)
	for _, proxy := range proxies {
		s.Proxies = append(s.Proxies, proxyStatus(proxy))
	}
	if state == nil {
		return s
	}
	s.Ready, s.At = true, state.At
	for _, f := range state.Result.Statuses {
		s.Filters = append(s.Filters, filterStatus(f))
	}
	count(s.Filters, state.Result.Statuses, proxies)
	for _, p := range state.Problems {
		s.Problems = append(s.Problems, Problem{Where: p.Origin.String(), Code: string(p.Code), What: p.What, Hint: p.Hint})
	}
	return s
}

// joinStreams makes one of the streams of each node: an Envoy that takes its filters apart from the rest has several. They
// come sorted by node.
func joinStreams(streams []xds.Proxy) []xds.Proxy {
	var out []xds.Proxy
	for _, p := range streams {
		if last := len(out) - 1; last >= 0 && out[last].Node.ID == p.Node.ID && (p.Service != "" || out[last].Service != "") {
			out[last].Slots = append(slices.Clip(out[last].Slots), p.Slots...)
			out[last].Routes = append(slices.Clip(out[last].Routes), p.Routes...)
			out[last].Refusals = append(slices.Clip(out[last].Refusals), p.Refusals...)
			continue
		}
		out = append(out, p)
	}
	return out
}

func proxyStatus(p xds.Proxy) ProxyStatus {
	s := ProxyStatus{
		ID: p.Node.ID, Cluster: p.Node.Cluster, Version: p.Node.Traits.Version, Since: p.Since,
		ChainSlot: p.Node.Traits.FilterChain, Slots: []SlotStatus{},
	}
	for _, slot := range p.Slots {
		one := SlotStatus{Name: slot.Name, Wanted: slot.Wanted.Revision, Filters: []string{}}
		if slot.Acked != nil {
			one.Running = slot.Acked.Revision
			for _, use := range slot.Acked.Uses {
				one.Filters = append(one.Filters, use.Key.Namespace+"/"+use.Key.Name)
			}
		}
		if slot.Refusal != nil {
			r := refusal(p, *slot.Refusal)
			one.Refusal = &r
		}
		s.Slots = append(s.Slots, one)
	}
	for _, r := range p.Refusals {
		s.Refusals = append(s.Refusals, refusal(p, r))
	}
	return s
}

func refusal(p xds.Proxy, r xds.Refusal) Refusal {
	return Refusal{Proxy: p.Node.ID, Resource: r.Name, Revision: r.Revision, Text: r.Text, At: r.At}
}

// filterStatus is what is known of a filter without its proxies.
func filterStatus(f snapshot.FilterState) FilterStatus {
	s := FilterStatus{
		Name: f.Key.Namespace + "/" + f.Key.Name, Newest: f.InForce == f.Hash && f.Hash != "",
		Waiting: f.Waiting, Problems: f.Problems, Revisions: []string{},
	}
	if f.Module != nil {
		s.Module = &ModuleStatus{Digest: f.Module.Digest, Size: len(f.Module.Bytes), ABI: f.Module.ABI}
	}
	return s
}
