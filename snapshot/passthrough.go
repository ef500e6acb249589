package snapshot

import (
	"fmt"
	"net/netip"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// wholeResource is one entry of `resources:`.
type wholeResource struct {
	field   string // "spec.resources[0]"
	kind    string // "listener", "route configuration", "cluster", "endpoints" or "secret"
	name    string
	address string   // of a listener with an IP address
	routes  []string // names of the routes of a route configuration
	message proto.Message
}

// wholeResources reads `resources:` as they were written, leaving out what Parse refuses.
func wholeResources(spec *graftv1alpha1.ProxySpec) []wholeResource {
	var out []wholeResource
	for i, packed := range spec.GetResources() {
		if r, err := readResource(packed); err == nil {
			r.field = fmt.Sprintf("spec.resources[%d]", i)
			out = append(out, r)
		}
	}
	return out
}

func readResource(packed *anypb.Any) (wholeResource, error) {
	written, err := packed.UnmarshalNew()
	if err != nil {
		return wholeResource{}, fmt.Errorf("%s is not a type that graft knows", packed.GetTypeUrl())
	}
	message, err := canonical(written)
	if err != nil {
		return wholeResource{}, err
	}
	r := wholeResource{message: message}
	switch m := message.(type) {
	case *listenerv3.Listener:
		r.kind, r.name, r.address = "listener", m.GetName(), socketAddress(m.GetAddress().GetSocketAddress())
	case *routev3.RouteConfiguration:
		r.kind, r.name, r.routes = "route configuration", m.GetName(), routeNames(m)
	case *clusterv3.Cluster:
		r.kind, r.name = "cluster", m.GetName()
	case *endpointv3.ClusterLoadAssignment:
		r.kind, r.name = "endpoints", m.GetClusterName()
	case *tlsv3.Secret:
		r.kind, r.name = "secret", m.GetName()
	default:
		return wholeResource{}, fmt.Errorf("%s cannot be served as a resource", message.ProtoReflect().Descriptor().FullName())
	}
	return r, nil
}

// socketAddress gives "10.0.0.1:80", or nothing for what is not an IP address.
func socketAddress(a *corev3.SocketAddress) string {
	ip, err := netip.ParseAddr(a.GetAddress())
	if err != nil || a.GetPortValue() == 0 || a.GetPortValue() > 65535 || a.GetProtocol() != corev3.SocketAddress_TCP {
		return ""
	}
	return netip.AddrPortFrom(ip, uint16(a.GetPortValue())).String()
}

func routeNames(m *routev3.RouteConfiguration) []string {
	var names []string
	for _, host := range m.GetVirtualHosts() {
		for _, r := range host.GetRoutes() {
			if r.GetName() != "" {
				names = append(names, r.GetName())
			}
		}
	}
	return names
}
