package xds

import (
	"sync"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/graft-xds/graft/snapshot"
)

// item is a resource in a response, under the version that it goes out with.
type item struct {
	*snapshot.Resource
	version string
}

// press encodes what is sent, once for all streams.
type press struct {
	render func(*snapshot.Content, snapshot.Variant) *snapshot.Resource

	mu       sync.Mutex
	heads    map[*snapshot.Resource]heads
	contents map[printing]*printed
}

// heads stand before the body of a resource: with it they are one entry of `resources` in a response of either kind.
type heads struct{ delta, sotw mem.SliceBuffer }

type printing struct {
	content *snapshot.Content
	attempt string
}

type printed struct {
	once     sync.Once
	resource *snapshot.Resource
}

func newPress(render func(*snapshot.Content, snapshot.Variant) *snapshot.Resource) *press {
	return &press{render: render, heads: map[*snapshot.Resource]heads{}, contents: map[printing]*printed{}}
}

// inline renders a content; streams that need the same bytes at the same time wait for one rendering.
func (p *press) inline(c *snapshot.Content, attempt string) *snapshot.Resource {
	p.mu.Lock()
	key := printing{c, attempt}
	one, ok := p.contents[key]
	if !ok {
		one = &printed{}
		p.contents[key] = one
	}
	p.mu.Unlock()
	one.once.Do(func() { one.resource = p.render(c, snapshot.Variant{Attempt: attempt}) })
	return one.resource
}

// keep forgets the encodings of all that is not among the groups' resources. Streams that still need them encode anew.
func (p *press) keep(groups map[string]*snapshot.Resources) {
	contents, resources := map[*snapshot.Content]bool{}, map[*snapshot.Resource]bool{}
	for _, group := range groups {
		for _, c := range group.Slots {
			contents[c] = true
		}
		for _, list := range group.Types {
			for _, r := range list {
				resources[r] = true
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, one := range p.contents {
		if contents[key.content] {
			resources[one.resource] = true
		} else {
			delete(p.contents, key)
		}
	}
	for r := range p.heads {
		if !resources[r] {
			delete(p.heads, r)
		}
	}
}

// headsOf gives the heads of a resource under its own version from memory; under another one they are made.
func (p *press) headsOf(one item) heads {
	if one.version != one.Version {
		return encodeHeads(one)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	h, ok := p.heads[one.Resource]
	if !ok {
		h = encodeHeads(one)
		p.heads[one.Resource] = h
	}
	return h
}

// Field numbers of envoy/service/discovery/v3/discovery.proto and google/protobuf/any.proto.
const (
	anyType = 1

	resourceVersion = 1
	resourceName    = 3

	responseVersion = 1 // version_info, system_version_info
	responseType    = 4
	deltaRemoved    = 6

	nestedField = 2 // value of an Any, resource of a Resource, resources of both kinds of response
)

func encodeHeads(one item) heads {
	inner := appendText(nil, anyType, one.Type)
	inner = appendLength(inner, len(one.Body))
	packed := len(inner) + len(one.Body)

	wrapper := appendText(nil, resourceVersion, one.version)
	wrapper = appendText(wrapper, resourceName, one.Name)
	wrapper = appendLength(wrapper, packed)
	delta := appendLength(nil, len(wrapper)+packed)
	return heads{
		delta: append(append(delta, wrapper...), inner...),
		sotw:  append(appendLength(nil, packed), inner...),
	}
}

// frame puts a response together. removed is for delta only.
func (p *press) frame(delta bool, typeURL, version string, items []item, removed []string) *frame {
	head := appendText(nil, responseType, typeURL)
	head = appendText(head, responseVersion, version)
	for _, name := range removed {
		head = protowire.AppendTag(head, deltaRemoved, protowire.BytesType)
		head = protowire.AppendString(head, name)
	}
	parts := make(mem.BufferSlice, 0, 1+2*len(items))
	parts = append(parts, mem.SliceBuffer(head))
	for _, one := range items {
		h := p.headsOf(one)
		if delta {
			parts = append(parts, h.delta)
		} else {
			parts = append(parts, h.sotw)
		}
		if len(one.Body) > 0 {
			parts = append(parts, mem.SliceBuffer(one.Body))
		}
	}
	return &frame{parts: parts}
}

func appendText(b []byte, field protowire.Number, text string) []byte {
	if text == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), text)
}

// appendLength begins a nested field of n bytes.
func appendLength(b []byte, n int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, nestedField, protowire.BytesType), uint64(n))
}
