package snapshot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filterchainv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/filter_chain/v3"
	setmetadatav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/set_metadata/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// storedContent is the first line of an encoded content; the inline rendering follows.
type storedContent struct {
	Slot     string      `json:"slot"`
	Revision string      `json:"revision"`
	Uses     []FilterUse `json:"uses"`
}

// EncodeContent writes down a content with all its modules, so that another process can send it again: see DecodeContent.
func EncodeContent(c *Content) []byte {
	head, err := json.Marshal(storedContent{Slot: c.Slot, Revision: c.Revision, Uses: c.Uses})
	if err != nil {
		panic("snapshot: " + c.Slot + ": " + err.Error()) // plain data, which JSON can always write
	}
	return append(append(head, '\n'), c.Render(Variant{}).Body...)
}

// DecodeContent reads what EncodeContent wrote. What it gives renders to the same bytes, and to others with an Attempt; it
// has no remote rendering.
func DecodeContent(data []byte) (*Content, error) {
	head, body, found := bytes.Cut(data, []byte{'\n'})
	var stored storedContent
	if !found {
		return nil, errors.New("read content: no header")
	}
	if err := json.Unmarshal(head, &stored); err != nil {
		return nil, fmt.Errorf("read content: %w", err)
	}
	resource := &corev3.TypedExtensionConfig{}
	if err := proto.Unmarshal(body, resource); err != nil {
		return nil, fmt.Errorf("read content of %q: %w", stored.Slot, err)
	}
	c := &Content{Slot: stored.Slot, Revision: stored.Revision, Uses: stored.Uses}
	if resource.GetName() != c.Slot {
		return nil, fmt.Errorf("read content of %q: it is that of %q", stored.Slot, resource.GetName())
	}
	filters, err := c.decodeFilters(resource.GetTypedConfig())
	if err != nil {
		return nil, fmt.Errorf("read content of %q: %w", stored.Slot, err)
	}
	if len(filters) != len(c.Uses) {
		return nil, fmt.Errorf("read content of %q: %d filters for %d uses", stored.Slot, len(filters), len(c.Uses))
	}
	for i, filter := range filters {
		c.parts = append(c.parts, part{key: c.Uses[i].Key, raw: filter})
	}
	return c, nil
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
