package snapshot

import (
	"net/netip"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	commondnsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/clusters/common/dns/v3"
	dnsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/clusters/dns/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// moduleConnectTimeout is how long a connection to the module server may take.
const moduleConnectTimeout = 5 * time.Second

// clusterResources builds the clusters of a Proxy.
func clusterResources(p *Proxy) []*Resource {
	var out []*Resource
	for _, cluster := range p.Spec.GetClusters() {
		out = append(out, newResource(cluster.GetName(), clusterMessage(cluster)))
	}
	return out
}

func clusterMessage(cluster *graftv1alpha1.Cluster) *clusterv3.Cluster {
	out := &clusterv3.Cluster{
		Name:                          cluster.GetName(),
		ConnectTimeout:                cluster.GetConnectTimeout(),
		LbPolicy:                      lbPolicy(cluster.GetPolicy()),
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(connectionBuffer),
		TypedExtensionProtocolOptions: map[string]*anypb.Any{httpProtocolOptions: anyOf(upstreamProtocol(cluster))},
	}
	discover(out, clusterEndpoints(cluster))
	if cluster.GetTls() != nil {
		out.TransportSocket = tlsSocket(upstreamTLS(cluster))
	}
	if check := cluster.GetHealthCheck(); check != nil {
		out.HealthChecks = []*corev3.HealthCheck{healthCheck(check, cluster.GetHttp2())}
	}
	return out
}

// modulesCluster leads to graft's module server.
func modulesCluster(o Options) *Resource {
	address := endpoint{host: o.ModuleHost, port: o.ModulePort}
	if ip, err := netip.ParseAddr(o.ModuleHost); err == nil {
		address.host, address.ip = ip.String(), true
	}
	out := &clusterv3.Cluster{
		Name:                          ModulesCluster,
		ConnectTimeout:                durationpb.New(moduleConnectTimeout),
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(1 << 20), // modules come from graft itself and are large
		LoadAssignment:                loadAssignment(ModulesCluster, []endpoint{address}),
	}
	if address.ip {
		out.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC}
	} else {
		out.ClusterDiscoveryType = strictDNS()
	}
	return newResource(ModulesCluster, out)
}

// discover says where endpoints come from: EDS for addresses, so that a new one is no new cluster (and gRPC's clients know
// nothing else); DNS as soon as there is a name among them.
func discover(out *clusterv3.Cluster, endpoints []endpoint) {
	if allIP(endpoints) {
		out.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS}
		out.EdsClusterConfig = &clusterv3.Cluster_EdsClusterConfig{EdsConfig: adsSource()}
		return
	}
	out.ClusterDiscoveryType = strictDNS()
	out.LoadAssignment = loadAssignment(out.GetName(), endpoints)
}

// strictDNS is Envoy's STRICT_DNS in the form that replaces it. IPv4 comes first: few names have an IPv6 address that
// answers, and Envoy's own default asks for that first.
func strictDNS() *clusterv3.Cluster_ClusterType {
	return &clusterv3.Cluster_ClusterType{ClusterType: &clusterv3.Cluster_CustomClusterType{
		Name: "envoy.cluster.strict_dns",
		TypedConfig: anyOf(&dnsv3.DnsCluster{
			RespectDnsTtl:   true,
			DnsLookupFamily: commondnsv3.DnsLookupFamily_V4_PREFERRED,
		}),
	}}
}

func lbPolicy(name string) clusterv3.Cluster_LbPolicy {
	switch name {
	case "least_request":
		return clusterv3.Cluster_LEAST_REQUEST
	case "random":
		return clusterv3.Cluster_RANDOM
	default:
		return clusterv3.Cluster_ROUND_ROBIN
	}
}

// httpProtocolOptions is the key of HttpProtocolOptions in a cluster.
const httpProtocolOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

// upstreamProtocol speaks HTTP/2 where that is asked for, lets ALPN choose where there is TLS, and HTTP/1.1 elsewhere.
// The windows are those of Envoy's edge document.
func upstreamProtocol(cluster *graftv1alpha1.Cluster) *httpv3.HttpProtocolOptions {
	http2 := &corev3.Http2ProtocolOptions{
		InitialStreamWindowSize:     wrapperspb.UInt32(http2StreamWindow),
		InitialConnectionWindowSize: wrapperspb.UInt32(http2ConnectionWindow),
	}
	switch {
	case cluster.GetHttp2():
		return explicit(&httpv3.HttpProtocolOptions_ExplicitHttpConfig{
			ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{Http2ProtocolOptions: http2},
		})
	case cluster.GetTls() != nil:
		return &httpv3.HttpProtocolOptions{UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_AutoConfig{
			AutoConfig: &httpv3.HttpProtocolOptions_AutoHttpConfig{Http2ProtocolOptions: http2},
		}}
	default:
		return explicit(&httpv3.HttpProtocolOptions_ExplicitHttpConfig{
			ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_HttpProtocolOptions{
				HttpProtocolOptions: &corev3.Http1ProtocolOptions{},
			},
		})
	}
}

func explicit(config *httpv3.HttpProtocolOptions_ExplicitHttpConfig) *httpv3.HttpProtocolOptions {
	return &httpv3.HttpProtocolOptions{
		UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{ExplicitHttpConfig: config},
	}
}

func healthCheck(check *graftv1alpha1.HealthCheck, http2 bool) *corev3.HealthCheck {
	over := &corev3.HealthCheck_HttpHealthCheck{Path: check.GetPath()}
	if http2 {
		over.CodecClientType = typev3.CodecClientType_HTTP2
	}
	return &corev3.HealthCheck{
		Timeout:            check.GetTimeout(),
		Interval:           check.GetInterval(),
		UnhealthyThreshold: wrapperspb.UInt32(check.GetUnhealthyThreshold()),
		HealthyThreshold:   wrapperspb.UInt32(check.GetHealthyThreshold()),
		HealthChecker:      &corev3.HealthCheck_HttpHealthCheck_{HttpHealthCheck: over},
	}
}
