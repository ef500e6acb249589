package snapshot

import (
	"fmt"
	"slices"
	"strings"

	filterchainv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/filter_chain/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	setmetadatav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/set_metadata/v3"
)

// remark is a problem of an object, found in a group; where the object is written is looked up when the problem is told.
type remark struct {
	object Key
	field  string
	code   Code
	what   string
	hint   string
}

// slotRemarks finds slots whose connection manager, in a whole resource, cannot take what graft sends, and sets of
// declared slots that are not all there.
func slotRemarks(r *Resources) []remark {
	var remarks []remark
	for _, found := range r.named {
		for _, sent := range typesSent(r.Slots[found.slot]) {
			if !slices.Contains(found.types, sent) {
				remarks = append(remarks, remark{
					object: found.proxy, field: found.field, code: CodeSlot,
					what: fmt.Sprintf("type_urls of the slot %q lacks %s", found.slot, sent), hint: "add it to type_urls",
				})
			}
		}
	}
	for _, s := range r.inputs.served {
		for _, set := range s.sets {
			if len(set.names) < set.declared {
				remarks = append(remarks, remark{
					object: s.proxy.Key, field: "spec.resources", code: CodeSlot,
					what: fmt.Sprintf("%d of the %d slots %s/…-of-%d are named: a filter in another one is not in force",
						len(set.names), set.declared, set.base, set.declared),
					hint: "name all of them, in order",
				})
			}
		}
	}
	return remarks
}

// typesSent lists the type URLs that a slot must take: of a declared one also what fills it when it is unused, and a deny.
func typesSent(c *Content) []string {
	if c.chain {
		return []string{typeURL(&filterchainv3.FilterChainConfig{})}
	}
	types := []string{typeURL(&rbacv3.RBAC{}), typeURL(&setmetadatav3.Config{})}
	for i := range c.parts {
		if form := c.parts[i].form; form != nil {
			types = append(types, form.typeURL())
		}
	}
	return types
}

func (f *form) typeURL() string {
	switch {
	case f.filter.Wasm != nil:
		return wasmType
	case f.filter.Native != nil:
		return f.filter.Native.GetTypeUrl()
	default:
		return luaType
	}
}

// routeRemarks finds filters that are for named routes only and reach none, because the listeners they are for have their
// routes from somewhere else than graft.
func routeRemarks(r *Resources, filters []selected) []remark {
	var remarks []remark
	for _, filter := range filters {
		if slices.ContainsFunc(filter.targets, func(t Target) bool { return len(t.Routes) == 0 }) {
			continue
		}
		var reached bool
		var others []string
		for _, p := range r.plans {
			for i := range filter.targets {
				target := &filter.targets[i]
				if !target.selectsSlots(p.set) {
					continue
				}
				reached = reached || len(p.set.routesOf(target)) > 0
				if p.set.written == nil {
					others = append(others, p.set.listener)
				}
			}
		}
		if !reached && len(others) > 0 {
			slices.Sort(others)
			remarks = append(remarks, remark{
				object: filter.newest.Key, field: "spec.targets", code: CodeUnknownTarget,
				what: "the filter is for some routes only, and the routes of " + strings.Join(slices.Compact(others), ", ") + " are not of graft's making",
				hint: "targets.routes takes routes of listeners in Proxy documents",
			})
		}
	}
	return remarks
}
