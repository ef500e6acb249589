package snapshot

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// Place tells which group a proxy is in: foreign are the slots that it asks for and no listener of ours names, previous is
// the Key of the group that it was in before (empty if none). Two proxies share a group when the same selectors of Proxy
// documents and of filter targets mean them, and they have the same traits (but for the version) and foreign slots.
// Place is pure and may be called concurrently.
func (c *Config) Place(node Node, foreign []string, previous string) Group {
	index := c.selectors.of(c)
	foreign = slices.Clone(foreign)
	slices.Sort(foreign)
	foreign = slices.Compact(foreign)

	parts := [][]byte{node.Traits.key(), []byte(strconv.Itoa(len(foreign)))}
	for _, name := range foreign {
		parts = append(parts, []byte(name))
	}
	for _, selector := range index.distinct {
		if selectsNode(selector.NodeSelector, node) {
			parts = append(parts, selector.key)
		}
	}
	return Group{Key: hash(parts...), Node: node, Foreign: foreign, Previous: previous}
}

func (t Traits) key() []byte {
	return strconv.AppendBool(strconv.AppendBool(strconv.AppendBool(nil, t.FilterChain), t.Wasm), t.Extensions)
}

// selectorIndex holds each distinct selector of a Config once, so that it is matched once for each node.
type selectorIndex struct {
	once     sync.Once
	distinct []distinctSelector // sorted by key
}

type distinctSelector struct {
	*graftv1alpha1.NodeSelector
	key []byte
}

func (x *selectorIndex) of(c *Config) *selectorIndex {
	x.once.Do(func() { x.fill(c) })
	return x
}

// share takes over the index of a Config with the same selectors.
func (x *selectorIndex) share(other *selectorIndex) {
	x.once.Do(func() { x.distinct = other.distinct })
}

func (x *selectorIndex) fill(c *Config) {
	seen := map[string]bool{}
	for _, selector := range c.nodeSelectors() {
		if key := selectorKey(selector); key != "" && !seen[key] {
			seen[key] = true
			x.distinct = append(x.distinct, distinctSelector{selector, []byte(key)})
		}
	}
	slices.SortFunc(x.distinct, func(a, b distinctSelector) int { return slices.Compare(a.key, b.key) })
}

func (c *Config) nodeSelectors() []*graftv1alpha1.NodeSelector {
	var all []*graftv1alpha1.NodeSelector
	for _, filter := range c.Filters {
		for i := range filter.Targets {
			all = append(all, filter.Targets[i].Nodes)
		}
	}
	for _, proxy := range c.Proxies {
		all = append(all, proxy.Spec.GetNodes())
	}
	return all
}

// selectorKey writes a selector down so that equal ones are equal strings; "" is the selector that means every node.
func selectorKey(s *graftv1alpha1.NodeSelector) string {
	if s.GetId() == "" && s.GetCluster() == "" && len(s.GetMatchLabels()) == 0 {
		return ""
	}
	parts := []string{strconv.Quote(s.GetId()), strconv.Quote(s.GetCluster())}
	for label, value := range s.GetMatchLabels() {
		parts = append(parts, strconv.Quote(label)+"="+strconv.Quote(value))
	}
	slices.Sort(parts[2:])
	return strings.Join(parts, " ")
}
