package snapshot

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filterchainv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/filter_chain/v3"
)

// chainConfig renders a chain slot: the stamp, then the filters in order. An empty slot has no chain at all, which costs a
// request nothing; where even that must be unique it has the stamp alone.
func (c *Content) chainConfig(v Variant) *filterchainv3.FilterChainConfig {
	if len(c.parts) == 0 && v.Attempt == "" {
		return &filterchainv3.FilterChainConfig{}
	}
	chain := &filterchainv3.FilterChain{
		Filters: make([]*corev3.TypedExtensionConfig, 0, len(c.parts)+1),
	}
	chain.Filters = append(chain.Filters, &corev3.TypedExtensionConfig{
		Name: stampName, TypedConfig: anyOf(stampFilter(c.Version(v))),
	})
	chain.Filters = append(chain.Filters, renderParts(c.parts, v, c.options)...)
	return &filterchainv3.FilterChainConfig{DefaultFilterChain: chain}
}

func renderParts(parts []part, v Variant, o Options) []*corev3.TypedExtensionConfig {
	filters := make([]*corev3.TypedExtensionConfig, 0, len(parts))
	for i := range parts {
		filters = append(filters, &corev3.TypedExtensionConfig{
			Name: innerName(parts[i].key), TypedConfig: parts[i].config(v, o),
		})
	}
	return filters
}
