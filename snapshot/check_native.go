package snapshot

import (
	"slices"
	"strings"

	filterchainv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/filter_chain/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	httpwasmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/wasm/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// native checks a filter that is built into Envoy and gives it deterministically marshalled.
func (c *checker) native(packed *anypb.Any) *anypb.Any {
	const field = "spec.native"
	written, err := packed.UnmarshalNew()
	if err != nil {
		c.refuse(CodeNative, field, "write the @type of a filter's configuration, for example "+typePrefix+"envoy.extensions.filters.http.buffer.v3.Buffer",
			"%q is not a type of the Envoy API", packed.GetTypeUrl())
		return nil
	}
	message, err := canonical(written)
	if err != nil {
		c.refuse(CodeNative, field, "", "%v", err)
		return nil
	}
	if what, hint := unfit(message); what != "" {
		c.refuse(CodeNative, field, hint, "%s", what)
		return nil
	}
	if err := validate(message); err != nil {
		c.refuse(CodeNative, field, "Envoy would refuse it", "%v", err)
		return nil
	}
	return anyOf(message)
}

// unfit tells why a message cannot be a filter of a chain; empty if it can.
func unfit(message proto.Message) (what, hint string) {
	name := string(message.ProtoReflect().Descriptor().FullName())
	switch m := message.(type) {
	case *routerv3.Router:
		return "the router cannot be in a chain", "graft puts it at the end of every listener by itself"
	case *filterchainv3.FilterChainConfig:
		return "a chain cannot be in a chain", "write its filters as Filter documents; order puts them in order"
	case *httpwasmv3.Wasm:
		config := m.GetConfig()
		if config.GetVmConfig().GetCode().GetRemote() != nil && !config.GetVmConfig().GetNackOnCodeCacheMiss() {
			return "remote code without nack_on_code_cache_miss", "Envoy would leave the filter out without a word; use spec.wasm, or set nack_on_code_cache_miss"
		}
	}
	if slices.Contains(httpFilterTypes(), name) {
		return "", ""
	}
	if strings.HasPrefix(name, "envoy.extensions.filters.http.") {
		pkg := name[:strings.LastIndexByte(name, '.')+1]
		for _, known := range httpFilterTypes() {
			if strings.HasPrefix(known, pkg) {
				return name + " is not the configuration of an HTTP filter", "did you mean " + typePrefix + known + "?"
			}
		}
	}
	return name + " is not the configuration of an HTTP filter", "native takes filters of a connection manager: " + typePrefix + "envoy.extensions.filters.http.…"
}
