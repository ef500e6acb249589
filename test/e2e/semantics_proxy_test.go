package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// tree is YAML or JSON.
type tree = map[string]any

// semVariants are the ways to carry a chain, in the order of their listeners: the first is what the others are compared with.
const (
	semListed = iota // the filters one by one in the connection manager
	semSlot          // graft: in the slot of a listener
	semRoute         // graft: the same, for one named route only
	semVariants
)

// semProxy is the ports of the listeners: one for each case and variant.
type semProxy struct {
	cases  []semCase
	ports  []int
	module string // path of test/filters/multi
}

func (p semProxy) port(at, variant int) int { return p.ports[at*semVariants+variant] }

// config of a filter with a stat of its own, if it counts.
func (p semProxy) config(at, variant, filter int) string {
	c := *p.cases[at].filters[filter].wasm
	if c.Count != "" {
		c.Count = p.stat(at, variant, filter)
	}
	return c.json()
}

func (p semProxy) stat(at, variant, filter int) string {
	return fmt.Sprintf("sem_%d_%d_%d", at, variant, filter)
}

// documents are what a user of graft would write.
func (p semProxy) documents(t *testing.T, upstream string) string {
	t.Helper()
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	var listeners []tree
	for at := range p.cases {
		for _, variant := range []int{semSlot, semRoute} {
			listeners = append(listeners, tree{
				"name": semListener(at, variant), "address": fmt.Sprintf("127.0.0.1:%d", p.port(at, variant)), "slots": 5,
				"routes": []tree{{"name": "r", "prefix": "/", "cluster": "app"}},
			})
			for i, f := range p.cases[at].filters {
				spec := p.spec(at, variant, i, f)
				spec["order"] = tree{"priority": 100 - i}
				target := tree{"listeners": []string{semListener(at, variant)}}
				if variant == semRoute {
					target["routes"] = []string{"r"}
				}
				spec["targets"] = []tree{target}
				semEncode(t, encoder, "Filter", fmt.Sprintf("f%d-%d-%d", at, variant, i), spec)
			}
		}
	}
	semEncode(t, encoder, "Proxy", "edge", tree{"listeners": listeners, "clusters": []tree{
		{"name": "app", "endpoints": []string{upstream}, "http2": true}, {"name": "callout", "endpoints": []string{upstream}},
	}})
	return out.String()
}

func semEncode(t *testing.T, encoder *yaml.Encoder, kind, name string, spec tree) {
	t.Helper()
	document := tree{"apiVersion": "graft.dev/v1alpha1", "kind": kind, "metadata": tree{"name": name}, "spec": spec}
	if err := encoder.Encode(document); err != nil {
		t.Fatal(err)
	}
}

// spec of a Filter. One VM serves all of them: each has its own in a test of its own, and here memory counts.
func (p semProxy) spec(at, variant, i int, f semFilter) tree {
	switch {
	case f.wasm != nil:
		return tree{"wasm": tree{"module": p.module, "config": p.config(at, variant, i), "vmID": "semantics", "delivery": "file"}}
	case f.lua != "":
		return tree{"lua": tree{"code": f.lua}}
	default:
		return tree{"native": bufferConfig(f.buffer)}
	}
}

// bootstrap adds a listener for each case to a bootstrap, with the filters one by one. Else they are as graft makes them.
func (p semProxy) bootstrap(t *testing.T, text string) string {
	t.Helper()
	var bootstrap tree
	if err := yaml.Unmarshal([]byte(text), &bootstrap); err != nil {
		t.Fatal(err)
	}
	var listeners []tree
	for at := range p.cases {
		listeners = append(listeners, p.listener(at))
	}
	bootstrap["static_resources"].(tree)["listeners"] = listeners
	out, err := json.Marshal(bootstrap) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func (p semProxy) listener(at int) tree {
	var filters []tree
	for i, f := range p.cases[at].filters {
		filters = append(filters, tree{"name": fmt.Sprintf("f%d", i), "typed_config": p.typedConfig(at, i, f)})
	}
	filters = append(filters, tree{"name": "envoy.filters.http.router", "typed_config": tree{
		"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
	}})
	manager := tree{
		"@type":                  "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
		"stat_prefix":            "listed",
		"use_remote_address":     true,
		"http2_protocol_options": tree{"initial_stream_window_size": 64 << 10, "initial_connection_window_size": 1 << 20},
		"http_filters":           filters,
		"route_config": tree{"name": "listed", "validate_clusters": false, "virtual_hosts": []tree{{
			"name": "all", "domains": []string{"*"}, "request_body_buffer_limit": 1 << 20,
			"routes": []tree{{"match": tree{"prefix": "/"}, "route": tree{"cluster": "app", "timeout": "15s"}}},
		}}},
	}
	return tree{
		"name":                              semListener(at, semListed),
		"address":                           tree{"socket_address": tree{"address": "127.0.0.1", "port_value": p.port(at, semListed)}},
		"per_connection_buffer_limit_bytes": 32 << 10,
		"filter_chains": []tree{{"filters": []tree{{
			"name": "envoy.filters.network.http_connection_manager", "typed_config": manager,
		}}}},
	}
}

func (p semProxy) typedConfig(at, i int, f semFilter) tree {
	switch {
	case f.wasm != nil:
		return tree{"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "config": tree{
			"name":          fmt.Sprintf("f%d-%d", at, i),
			"configuration": tree{"@type": "type.googleapis.com/google.protobuf.StringValue", "value": p.config(at, semListed, i)},
			"vm_config": tree{
				"runtime": "envoy.wasm.runtime.v8", "vm_id": "semantics", "code": tree{"local": tree{"filename": p.module}},
			},
		}}
	case f.lua != "":
		return tree{
			"@type":               "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
			"default_source_code": tree{"inline_string": f.lua},
		}
	default:
		return bufferConfig(f.buffer)
	}
}

func bufferConfig(limit int) tree {
	return tree{"@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer", "max_request_bytes": limit}
}

func semListener(at, variant int) string {
	return strings.Join([]string{"listed", "slot", "route"}[variant:variant+1], "") + fmt.Sprint(at)
}
