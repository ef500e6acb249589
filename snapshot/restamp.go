package snapshot

import (
	"fmt"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filterchainv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/filter_chain/v3"
	setmetadatav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/set_metadata/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// Restamp makes the bytes of a content unique when only its bytes are left: body is what the zero Variant of a content with
// this slot and revision rendered to, and what comes out is what its Variant of the given Attempt would render to.
func Restamp(slot, revision string, body []byte, attempt string) (*Resource, error) {
	resource := &corev3.TypedExtensionConfig{}
	if err := proto.Unmarshal(body, resource); err != nil {
		return nil, fmt.Errorf("read content of %q: %w", slot, err)
	}
	if resource.GetName() != slot {
		return nil, fmt.Errorf("read content of %q: it is that of %q", slot, resource.GetName())
	}
	c := &Content{Slot: slot, Revision: revision}
	if len(resource.GetTypedConfig().GetValue()) > 0 {
		c.Uses = make([]FilterUse, 1) // what fills an unused slot is empty
	}
	filters, err := c.decodeFilters(resource.GetTypedConfig())
	if err != nil {
		return nil, fmt.Errorf("read content of %q: %w", slot, err)
	}
	names := filterNames(resource)
	for i, filter := range filters {
		c.parts = append(c.parts, part{key: names[i], raw: filter})
	}
	return c.Render(Variant{Attempt: attempt}), nil
}

// filterNames reads who is who in a chain from the names inside it. A declared slot does not tell whom it holds, nor need it.
func filterNames(resource *corev3.TypedExtensionConfig) []Key {
	chain := &filterchainv3.FilterChainConfig{}
	if resource.GetTypedConfig().UnmarshalTo(chain) != nil {
		return make([]Key, 1)
	}
	var keys []Key
	for _, filter := range chain.GetDefaultFilterChain().GetFilters() {
		if filter.GetName() != stampName {
			namespace, name, _ := strings.Cut(filter.GetName(), "/")
			keys = append(keys, Key{Kind: kindFilter, Namespace: namespace, Name: name})
		}
	}
	return keys
}

// decodeFilters takes the rendering apart into the filters, without the stamp and without what fills an unused slot.
func (c *Content) decodeFilters(config *anypb.Any) ([]*anypb.Any, error) {
	switch {
	case config.MessageIs(&filterchainv3.FilterChainConfig{}):
		c.chain = true
		chain := &filterchainv3.FilterChainConfig{}
		if err := config.UnmarshalTo(chain); err != nil {
			return nil, err
		}
		var filters []*anypb.Any
		for _, filter := range chain.GetDefaultFilterChain().GetFilters() {
			if filter.GetName() != stampName {
				filters = append(filters, filter.GetTypedConfig())
			}
		}
		return filters, nil
	case len(c.Uses) == 0 && config.MessageIs(&setmetadatav3.Config{}):
		return nil, nil
	default:
		return []*anypb.Any{config}, nil
	}
}
