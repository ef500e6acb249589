package snapshot

import (
	"slices"
	"strconv"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/types/known/anypb"
)

// Content is what one slot carries: a whole chain, or one filter of a declared slot. It is immutable, and the same pointer
// as long as it does the same.
type Content struct {
	Slot     string      // name of the ECDS resource
	Revision string      // hash of what it does, whatever the delivery and the attempt
	Uses     []FilterUse // its filters in order; empty: the slot is empty
	Fetches  []string    // digests of the modules that a remote rendering makes a proxy fetch; empty: there is no remote rendering

	// Provisional marks a stand-in: some filter cannot be built (yet), and what the slot carried before this graft started
	// is not known. It is for proxies that have nothing in the slot, or what this graft has sent them; one that comes with
	// another version keeps that.
	Provisional bool

	chain   bool   // a whole chain behind a stamp, rather than one bare filter
	parts   []part // what is sent, in order
	options Options
	key     contentKey // under which Build remembers it
}

// FilterUse is one filter in a content, by the form it has there.
type FilterUse struct {
	Key    Key
	Hash   string // Filter.Hash of the form in force; empty: a deny stands in the filter's place
	Digest string // of its module; empty for lua and native
}

// Variant is one way to send a content. The zero Variant is the inline, first one, the same in every replica.
type Variant struct {
	Remote  bool   // modules that the delivery allows are fetched from the module server rather than sent inline
	Attempt string // makes the bytes unique where they must go out again; part of the version
	Token   string // added to the URLs of modules, so that the module server knows which proxy fetched
}

// part is one filter of a content: what it is, or, in a content that was decoded, the bytes that it was.
type part struct {
	key  Key
	form *form      // nil: a deny stands in its place
	raw  *anypb.Any // of a decoded content
}

// config is the part as a variant has it.
func (p *part) config(v Variant, o Options) *anypb.Any {
	switch {
	case p.raw != nil:
		return p.raw
	case p.form == nil:
		return anyOf(denyFilter())
	case p.form.filter.Wasm != nil:
		return anyOf(wasmFilter(p.form, v, o))
	case p.form.filter.Native != nil:
		return p.form.filter.Native
	default:
		return anyOf(luaFilter(p.form.filter.Lua))
	}
}

func (p *part) use() FilterUse {
	if p.form == nil {
		return FilterUse{Key: p.key}
	}
	return FilterUse{Key: p.key, Hash: p.form.filter.Hash, Digest: p.form.digest()}
}

// effect is what the part does to a request, as a hash.
func (p *part) effect() string {
	if p.form == nil {
		return "deny " + innerName(p.key)
	}
	return p.form.effect
}

// newContent makes the content of a slot: a chain of parts, or of a declared slot one part or none.
func newContent(slot string, chain bool, parts []part, o Options) *Content {
	c := &Content{Slot: slot, Revision: revision(chain, parts), chain: chain, parts: parts, options: o}
	if len(parts) > 0 {
		c.Uses = make([]FilterUse, 0, len(parts))
	}
	for i := range parts {
		c.Uses = append(c.Uses, parts[i].use())
		if form := parts[i].form; form != nil && form.fetched(o) {
			c.Fetches = append(c.Fetches, form.module.Digest)
		}
	}
	slices.Sort(c.Fetches)
	c.Fetches = slices.Compact(c.Fetches)
	return c
}

// effectSize is how many bytes of a hasher most parts need.
const effectSize = lengthSize + 32

func revision(chain bool, parts []part) string {
	h := make(hasher, 0, (len(parts)+1)*effectSize)
	if chain {
		h = h.add("chain")
	} else {
		h = h.add("declared")
	}
	for i := range parts {
		h = h.add(parts[i].effect())
	}
	return h.sum()
}

// identity is a hash of all that shows in a content: what it does, the forms, and how modules travel.
func identity(chain bool, parts []part, provisional bool) string {
	h := make(hasher, 0, (len(parts)+1)*effectSize)
	h = h.add(strconv.FormatBool(chain) + strconv.FormatBool(provisional))
	for i := range parts {
		if form := parts[i].form; form != nil {
			h = h.add(form.identity)
		} else {
			h = h.add(parts[i].effect())
		}
	}
	return h.sum()
}

// Version is the version of the resource that a variant renders to. How a module travels is not in it: a proxy that has
// the revision needs nothing new.
func (c *Content) Version(v Variant) string {
	if v.Attempt == "" {
		return c.Revision
	}
	return c.Revision + "#" + v.Attempt
}

// Render gives the ECDS resource that carries the content. It is pure and does real work (it copies the modules), so the
// caller keeps what it returns.
func (c *Content) Render(v Variant) *Resource {
	return &Resource{
		Type:    ExtensionType,
		Name:    c.Slot,
		Version: c.Version(v),
		Body:    marshal(&corev3.TypedExtensionConfig{Name: c.Slot, TypedConfig: c.config(v)}),
	}
}

func (c *Content) config(v Variant) *anypb.Any {
	if c.chain {
		return anyOf(c.chainConfig(v))
	}
	return c.declaredConfig(v)
}
