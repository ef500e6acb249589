package snapshot

import (
	"bytes"
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// compareFilters is the order of a chain: phase, then higher priority first, then namespace and name.
func compareFilters(a, b *Filter) int {
	return cmp.Or(
		cmp.Compare(a.Phase, b.Phase),
		cmp.Compare(b.Priority, a.Priority),
		cmp.Compare(a.Key.Namespace, b.Key.Namespace),
		cmp.Compare(a.Key.Name, b.Key.Name),
	)
}

// selection hashes everything that decides which proxy sees what: which node selectors there are, and which Proxy
// documents use which. A filter that selects as another one does is not seen in it.
func selection(c *Config) string {
	var selectors [][]byte
	for _, filter := range c.Filters {
		for _, target := range filter.Targets {
			selectors = append(selectors, selectorBytes(target.Nodes))
		}
	}
	slices.SortFunc(selectors, bytes.Compare)
	selectors = slices.CompactFunc(selectors, bytes.Equal)
	parts := make([][]byte, 0, 2*len(c.Proxies)+len(selectors))
	for _, proxy := range c.Proxies {
		parts = append(parts, []byte(proxy.Key.String()), selectorBytes(proxy.Spec.GetNodes()))
	}
	return hash(append(parts, selectors...)...)
}

// selectsAs tells, without looking into what is the same, whether c has the selectors that before has. Both are by key.
func (c *Config) selectsAs(before *Config) bool {
	return slices.EqualFunc(c.parsed.filters, before.parsed.filters, func(a, b *inForce[Filter]) bool {
		return a == b || slices.EqualFunc(a.form.Targets, b.form.Targets, sameNodes)
	}) && slices.EqualFunc(c.parsed.proxies, before.parsed.proxies, func(a, b *inForce[claimed]) bool {
		return a == b || a.doc.Key == b.doc.Key && proto.Equal(a.form.Spec.GetNodes(), b.form.Spec.GetNodes())
	})
}

func sameNodes(a, b Target) bool { return a.Nodes == b.Nodes || proto.Equal(a.Nodes, b.Nodes) }

func selectorBytes(s *graftv1alpha1.NodeSelector) []byte {
	if s == nil {
		return nil
	}
	return marshal(s)
}
