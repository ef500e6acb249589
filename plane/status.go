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
	InForce   bool          `json:"inForce"`   // some form of it is sent to proxies, or would be if there were any
	Newest    bool          `json:"newest"`    // and that is the one that was written last
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
	names := map[*snapshot.Content][]string{}
	for i := range proxies {
		s.Proxies = append(s.Proxies, proxyStatus(&proxies[i], names))
	}
	if state == nil {
		return s
	}
	s.Ready, s.At = true, state.At
	s.Filters = filtersOf(state, proxies)
	for _, p := range state.Problems {
		s.Problems = append(s.Problems, Problem{Where: p.Origin.String(), Code: string(p.Code), What: p.What, Hint: p.Hint})
	}
	return s
}

// FiltersOf is the part of StatusOf that counts, and the number of proxies.
func FiltersOf(state *State, proxies []xds.Proxy) ([]FilterStatus, int) {
	proxies = joinStreams(proxies)
	if state == nil {
		return nil, len(proxies)
	}
	return filtersOf(state, proxies), len(proxies)
}

func filtersOf(state *State, proxies []xds.Proxy) []FilterStatus {
	filters := make([]FilterStatus, 0, len(state.Result.Statuses))
	for _, f := range state.Result.Statuses {
		filters = append(filters, filterStatus(f))
	}
	unread(filters, state)
	count(filters, state.Result.Statuses, proxies)
	return filters
}

// unread marks the filters whose document has a newer form that could not be read: what is in force is an earlier one.
func unread(filters []FilterStatus, state *State) {
	if len(state.Problems) == 0 {
		return
	}
	files := make(map[string]string, len(state.Config.Documents))
	for i := range state.Config.Documents {
		doc := &state.Config.Documents[i]
		files[doc.Key.String()] = doc.Origin.File
	}
	newer := map[string][]string{}
	for _, p := range state.Problems {
		if file, ok := files[p.Origin.Object]; ok && file == p.Origin.File && !p.Code.Warning() {
			newer[p.Origin.Object] = append(newer[p.Origin.Object], problemText(p))
		}
	}
	for i, f := range state.Result.Statuses {
		for _, text := range newer[f.Key.String()] {
			if !slices.Contains(filters[i].Problems, text) {
				filters[i].Newest, filters[i].Problems = false, append(slices.Clip(filters[i].Problems), text)
			}
		}
	}
}

// problemText is what is wrong and how to mend it, as snapshot.FilterState has it.
func problemText(p snapshot.Problem) string {
	if p.Hint == "" {
		return p.What
	}
	return p.What + "\n" + p.Hint
}

// joinStreams makes one of the streams of each node: an Envoy that takes its filters apart from the rest has several. Two
// ADS streams of one node id stay two: they are two Envoys of one name, or one that came back before its old connection was
// found dead. Streams come sorted by node and time.
func joinStreams(streams []xds.Proxy) []xds.Proxy {
	var out []xds.Proxy
	for _, p := range streams {
		if last := len(out) - 1; last >= 0 && out[last].Node.ID == p.Node.ID && (p.Service != "" || out[last].Service != "") {
			out[last].Slots = newest(out[last].Slots, p.Slots, func(s xds.SlotState) string { return s.Name })
			out[last].Routes = newest(out[last].Routes, p.Routes, func(r xds.RouteState) string { return r.Wanted.Name })
			out[last].Refusals = newest(out[last].Refusals, p.Refusals, func(r xds.Refusal) string { return r.Type + " " + r.Name })
			continue
		}
		out = append(out, p)
	}
	return out
}

// newest puts together what two streams of one proxy say; of what both speak of, the later one knows better.
func newest[T any](earlier, later []T, name func(T) string) []T {
	spoken := make(map[string]bool, len(later))
	for _, one := range later {
		spoken[name(one)] = true
	}
	kept := slices.DeleteFunc(slices.Clone(earlier), func(one T) bool { return spoken[name(one)] })
	return append(kept, later...)
}

// proxyStatus shares the names of the filters between proxies that run the same.
func proxyStatus(p *xds.Proxy, names map[*snapshot.Content][]string) ProxyStatus {
	s := ProxyStatus{
		ID: p.Node.ID, Cluster: p.Node.Cluster, Version: p.Node.Traits.Version, Since: p.Since,
		ChainSlot: p.Node.Traits.FilterChain, Slots: []SlotStatus{},
	}
	for _, slot := range p.Slots {
		one := SlotStatus{Name: slot.Name, Wanted: slot.Wanted.Revision, Filters: []string{}}
		if slot.Acked != nil {
			one.Running = slot.Acked.Revision
			if names[slot.Acked] == nil {
				names[slot.Acked] = filterNames(slot.Acked)
			}
			one.Filters = names[slot.Acked]
		}
		if slot.Refusal != nil {
			r := refusal(p, slot.Refusal)
			one.Refusal = &r
		}
		s.Slots = append(s.Slots, one)
	}
	for i := range p.Refusals {
		s.Refusals = append(s.Refusals, refusal(p, &p.Refusals[i]))
	}
	return s
}

// filterNames are those of the filters that run in a content; a deny that stands in the place of one is none.
func filterNames(c *snapshot.Content) []string {
	names := []string{}
	for _, use := range c.Uses {
		if use.Hash != "" {
			names = append(names, nameOf(use.Key))
		}
	}
	return names
}

func nameOf(k snapshot.Key) string { return k.Namespace + "/" + k.Name }

func refusal(p *xds.Proxy, r *xds.Refusal) Refusal {
	return Refusal{Proxy: p.Node.ID, Resource: r.Name, Revision: r.Revision, Text: r.Text, At: r.At}
}

// filterStatus is what is known of a filter without its proxies.
func filterStatus(f snapshot.FilterState) FilterStatus {
	s := FilterStatus{
		Name: nameOf(f.Key), InForce: f.InForce != "", Newest: f.InForce == f.Hash && f.Hash != "",
		Waiting: f.Waiting, Problems: f.Problems, Revisions: []string{},
	}
	if f.Module != nil {
		s.Module = &ModuleStatus{Digest: f.Module.Digest, Size: len(f.Module.Bytes), ABI: f.Module.ABI}
	}
	return s
}
