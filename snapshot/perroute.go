package snapshot

import (
	"slices"
	"strings"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	filterchainv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/filter_chain/v3"
	"google.golang.org/protobuf/types/known/anypb"
)

// routedPart is a part with the routes it is for; none: all.
type routedPart struct {
	part
	routes []string
}

// perRoute is what the route configuration of a listener says about its slots.
type perRoute struct {
	slot  string
	host  []part              // the chain of all routes that have none of their own
	named map[string][]part   // the chains of named routes, each whole
	only  map[string][]string // of declared slots: the routes that a slot is for
}

// perRouteChains splits the rest of a chain, from the first filter that is for some routes only, into one chain for each
// route that any of them names and one for all others, so that each route meets its filters in the order of the list.
//
// Envoy runs the chain of the slot, then that of the virtual host, then that of the route; of two filters with one name
// only the more specific one runs. What the chain of the host has, each route's own chain has too, under the same name.
func perRouteChains(set *slotSet, rest []routedPart) *perRoute {
	if len(rest) == 0 {
		return nil
	}
	r := &perRoute{slot: set.base, named: map[string][]part{}}
	for _, p := range rest {
		for _, route := range p.routes {
			r.named[route] = nil
		}
	}
	for _, p := range rest {
		if p.routes == nil {
			r.host = append(r.host, p.part)
		}
		for route := range r.named {
			if p.routes == nil || slices.Contains(p.routes, route) {
				r.named[route] = append(r.named[route], p.part)
			}
		}
	}
	return r
}

// signature tells apart what renders differently.
func (r *perRoute) signature() string {
	if r == nil {
		return ""
	}
	parts := [][]byte{[]byte(r.slot), []byte(partsSignature(r.host))}
	for _, route := range sortedKeys(r.named) {
		parts = append(parts, []byte(route), []byte(partsSignature(r.named[route])))
	}
	for _, slot := range sortedKeys(r.only) {
		parts = append(parts, []byte(slot), []byte(strings.Join(r.only[slot], "\x00")))
	}
	return hash(parts...)
}

func partsSignature(parts []part) string {
	var all [][]byte
	for i := range parts {
		use := parts[i].use()
		all = append(all, []byte(parts[i].effect()), []byte(use.Hash), []byte(use.Digest))
	}
	return hash(all...)
}

// ofRoute is the typed_per_filter_config of a route by name.
func (r *perRoute) ofRoute(name string, o Options) map[string]*anypb.Any {
	if r == nil {
		return nil
	}
	configs := chainPerRoute(r.slot, r.named[name], o)
	for slot, routes := range r.only {
		if slices.Contains(routes, name) {
			configs = with(configs, slot, &routev3.FilterConfig{Config: &anypb.Any{}}) // empty: on after all
		}
	}
	return configs
}

// ofHost is the typed_per_filter_config of a virtual host.
func (r *perRoute) ofHost(o Options) map[string]*anypb.Any {
	if r == nil {
		return nil
	}
	configs := chainPerRoute(r.slot, r.host, o)
	for slot := range r.only {
		configs = with(configs, slot, &routev3.FilterConfig{Disabled: true})
	}
	return configs
}

func with(configs map[string]*anypb.Any, slot string, config *routev3.FilterConfig) map[string]*anypb.Any {
	if configs == nil {
		configs = map[string]*anypb.Any{}
	}
	configs[slot] = anyOf(config)
	return configs
}

// chainPerRoute renders a per-route chain. Its modules are always inline or files: Envoy fetches nothing for a route.
func chainPerRoute(slot string, parts []part, o Options) map[string]*anypb.Any {
	if len(parts) == 0 {
		return nil
	}
	return map[string]*anypb.Any{slot: anyOf(&filterchainv3.FilterChainConfigPerRoute{
		FilterChain: &filterchainv3.FilterChain{Filters: renderParts(parts, Variant{}, o)},
	})}
}

func (r *perRoute) uses() []FilterUse {
	if r == nil {
		return nil
	}
	seen := map[Key]bool{}
	var uses []FilterUse
	add := func(parts []part) {
		for i := range parts {
			if !seen[parts[i].key] {
				seen[parts[i].key] = true
				uses = append(uses, parts[i].use())
			}
		}
	}
	add(r.host)
	for _, route := range sortedKeys(r.named) {
		add(r.named[route])
	}
	return uses
}

func (r *perRoute) formOf(key Key) *form {
	if r == nil {
		return nil
	}
	for _, parts := range r.named {
		for i := range parts {
			if parts[i].key == key {
				return parts[i].form
			}
		}
	}
	return nil
}
