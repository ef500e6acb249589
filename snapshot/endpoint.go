package snapshot

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// endpointResources builds the endpoints of the clusters that take them by EDS: those that have IP addresses only.
func endpointResources(p *Proxy) []*Resource {
	var out []*Resource
	for _, cluster := range p.Spec.GetClusters() {
		if endpoints := clusterEndpoints(cluster); allIP(endpoints) {
			out = append(out, newResource(cluster.GetName(), loadAssignment(cluster.GetName(), endpoints)))
		}
	}
	return out
}

func clusterEndpoints(cluster *graftv1alpha1.Cluster) []endpoint {
	var out []endpoint
	for _, written := range cluster.GetEndpoints() {
		if parsed, ok := parseEndpoint(written); ok {
			out = append(out, parsed)
		}
	}
	return out
}

func allIP(endpoints []endpoint) bool {
	for _, e := range endpoints {
		if !e.ip {
			return false
		}
	}
	return true
}

// loadAssignment puts all endpoints into one locality, which has a weight because gRPC's clients leave out a locality
// without one (gRFC A27).
func loadAssignment(cluster string, endpoints []endpoint) *endpointv3.ClusterLoadAssignment {
	locality := &endpointv3.LocalityLbEndpoints{
		Locality:            &corev3.Locality{},
		LoadBalancingWeight: wrapperspb.UInt32(1),
	}
	for _, e := range endpoints {
		locality.LbEndpoints = append(locality.LbEndpoints, &endpointv3.LbEndpoint{
			HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{Address: tcpAddress(e.host, e.port)}},
		})
	}
	return &endpointv3.ClusterLoadAssignment{ClusterName: cluster, Endpoints: []*endpointv3.LocalityLbEndpoints{locality}}
}
