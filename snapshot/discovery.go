package snapshot

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/anypb"
)

// discovery is a slot that a connection manager names.
type discovery struct {
	slot      string
	types     []string // type URLs that it takes
	in        string   // name of the Listener resource
	field     string   // of the Proxy document that the listener is written in
	port      uint32
	direction string // empty where the Listener does not say
}

// named is a discovery and the Proxy document that it stands in.
type named struct {
	proxy Key
	discovery
}

// discoveries gives the slots that the connection managers of a listener get from graft, in the order of the listener. A
// connection manager that asks somebody else for its filters is none of ours.
func discoveries(l *listenerv3.Listener, field string) []discovery {
	var found []discovery
	walk := func(packed *anypb.Any) {
		manager := &hcmv3.HttpConnectionManager{}
		if packed.UnmarshalTo(manager) != nil {
			return
		}
		for _, filter := range manager.GetHttpFilters() {
			if d := filter.GetConfigDiscovery(); d != nil && d.GetConfigSource().GetAds() != nil {
				found = append(found, discovery{
					slot: filter.GetName(), types: d.GetTypeUrls(), in: l.GetName(), field: field,
					port: l.GetAddress().GetSocketAddress().GetPortValue(), direction: directionOf(l.GetTrafficDirection()),
				})
			}
		}
	}
	walk(l.GetApiListener().GetApiListener())
	for _, chain := range append(l.GetFilterChains(), l.GetDefaultFilterChain()) {
		for _, filter := range chain.GetFilters() {
			walk(filter.GetTypedConfig())
		}
	}
	return found
}

func directionOf(d corev3.TrafficDirection) string {
	switch d {
	case corev3.TrafficDirection_INBOUND:
		return "inbound"
	case corev3.TrafficDirection_OUTBOUND:
		return "outbound"
	default:
		return ""
	}
}
