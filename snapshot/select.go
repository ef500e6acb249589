package snapshot

import (
	"slices"
	"strings"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// selectsNode tells whether a selector means a node. No selector means every node.
func selectsNode(s *graftv1alpha1.NodeSelector, node Node) bool {
	if s == nil {
		return true
	}
	if s.GetId() != "" && !matchGlob(s.GetId(), node.ID) || s.GetCluster() != "" && !matchGlob(s.GetCluster(), node.Cluster) {
		return false
	}
	for label, value := range s.GetMatchLabels() {
		if has, ok := node.Labels[label]; !ok || has != value {
			return false
		}
	}
	return true
}

// matchGlob matches a whole string; `*` stands for any run of characters, also none. There is no escape.
func matchGlob(pattern, s string) bool {
	head, rest, found := strings.Cut(pattern, "*")
	if !found {
		return pattern == s
	}
	if !strings.HasPrefix(s, head) {
		return false
	}
	s = s[len(head):]
	for {
		var part string
		part, rest, found = strings.Cut(rest, "*")
		if !found {
			return strings.HasSuffix(s, part)
		}
		at := strings.Index(s, part)
		if at < 0 {
			return false
		}
		s = s[at+len(part):]
	}
}

// selectsSlots tells whether the slots are among those that the target means; the node was looked at before. What graft
// does not know of a slot (the port behind a slot that only a proxy names) no condition on it matches.
func (t *Target) selectsSlots(s *slotSet) bool {
	return (t.Proxy == Key{} || t.Proxy == s.proxy) &&
		(len(t.Listeners) == 0 || slices.Contains(t.Listeners, s.listener)) &&
		(len(t.Ports) == 0 || s.port != 0 && slices.Contains(t.Ports, s.port)) &&
		(t.Direction == "" || t.Direction == s.direction)
}

// applied is a filter in the slots of one listener.
type applied struct {
	*verdict
	routes []string // only on these named routes, sorted; nil: everywhere
}

func (a applied) same(other applied) bool {
	return a.verdict == other.verdict && slices.Equal(a.routes, other.routes)
}

// apply gives the filters of a group that apply to its slots, in chain order. A filter whose targets all name routes
// applies to those of them that the listener has; without any it does not apply.
func (s *slotSet) apply(filters []selected) []applied {
	out := make([]applied, 0, len(filters))
	for _, filter := range filters {
		routes, everywhere := []string(nil), false
		for i := range filter.targets {
			target := &filter.targets[i]
			if !target.selectsSlots(s) {
				continue
			}
			if len(target.Routes) == 0 {
				everywhere = true
				break
			}
			routes = append(routes, s.routesOf(target)...)
		}
		switch {
		case everywhere:
			out = append(out, applied{verdict: filter.verdict})
		case len(routes) > 0:
			slices.Sort(routes)
			out = append(out, applied{verdict: filter.verdict, routes: slices.Compact(routes)})
		}
	}
	return out
}

func (s *slotSet) routesOf(t *Target) []string {
	var routes []string
	for _, route := range t.Routes {
		if slices.Contains(s.routes, route) {
			routes = append(routes, route)
		}
	}
	return routes
}
