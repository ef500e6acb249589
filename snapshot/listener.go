package snapshot

import (
	"net/netip"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// connectionBuffer is how many bytes Envoy buffers for a connection: 32 KiB is what Envoy's edge document recommends for
// listeners and clusters ("Configuring Envoy as an edge proxy", per_connection_buffer_limit_bytes), so that clients
// cannot fill the memory. What filters may hold of a body is more: bodyLimit.
const connectionBuffer = 32 << 10

// listenerResource builds one listener with its connection manager, the slots in front of the router.
func listenerResource(_ *Proxy, l *graftv1alpha1.Listener, slots []hcmSlot) *Resource {
	chain := &listenerv3.FilterChain{
		Filters: []*listenerv3.Filter{{
			Name:       "envoy.filters.network.http_connection_manager",
			ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: anyOf(connectionManager(l, slots))},
		}},
	}
	if l.GetTls() != nil {
		chain.TransportSocket = tlsSocket(downstreamTLS(l))
		chain.TransportSocketConnectTimeout = durationpb.New(handshakeTimeout)
	}
	return newResource(l.GetName(), &listenerv3.Listener{
		Name:                          l.GetName(),
		Address:                       ipAddress(l.GetAddress()),
		FilterChains:                  []*listenerv3.FilterChain{chain},
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(connectionBuffer),
		TrafficDirection:              trafficDirection(l.GetDirection()),
	})
}

// trafficDirection leaves a gateway unspecified, as Envoy's document does for edge proxies.
func trafficDirection(direction string) corev3.TrafficDirection {
	switch direction {
	case "inbound":
		return corev3.TrafficDirection_INBOUND
	case "outbound":
		return corev3.TrafficDirection_OUTBOUND
	default:
		return corev3.TrafficDirection_UNSPECIFIED
	}
}

// ipAddress turns an address that Parse checked into Envoy's form.
func ipAddress(written string) *corev3.Address {
	parsed, err := netip.ParseAddrPort(written)
	if err != nil {
		return nil
	}
	return tcpAddress(parsed.Addr().String(), uint32(parsed.Port()))
}

func tcpAddress(host string, port uint32) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address:       host,
		PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port},
	}}}
}

// downstreamTLS names the certificate, which travels by SDS, so that a new one is no new listener.
func downstreamTLS(l *graftv1alpha1.Listener) *tlsv3.DownstreamTlsContext {
	common := &tlsv3.CommonTlsContext{
		TlsParams:                      &tlsv3.TlsParameters{TlsMinimumProtocolVersion: tlsVersion(l.GetTls().GetMinVersion())},
		TlsCertificateSdsSecretConfigs: []*tlsv3.SdsSecretConfig{sdsSecret(listenerCertificate(l.GetName()))},
		AlpnProtocols:                  []string{"h2", "http/1.1"},
	}
	context := &tlsv3.DownstreamTlsContext{CommonTlsContext: common}
	if l.GetTls().GetClientCaFile() != "" {
		context.RequireClientCertificate = wrapperspb.Bool(true)
		common.ValidationContextType = &tlsv3.CommonTlsContext_ValidationContextSdsSecretConfig{
			ValidationContextSdsSecretConfig: sdsSecret(listenerClientCA(l.GetName())),
		}
	}
	return context
}

func tlsVersion(written string) tlsv3.TlsParameters_TlsProtocol {
	if written == "1.3" {
		return tlsv3.TlsParameters_TLSv1_3
	}
	return tlsv3.TlsParameters_TLSv1_2
}

func sdsSecret(name string) *tlsv3.SdsSecretConfig {
	return &tlsv3.SdsSecretConfig{Name: name, SdsConfig: adsSource()}
}

func tlsSocket(context proto.Message) *corev3.TransportSocket {
	return &corev3.TransportSocket{
		Name:       "envoy.transport_sockets.tls",
		ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: anyOf(context)},
	}
}

// adsSource says: on the stream that this came by.
func adsSource() *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ResourceApiVersion:    corev3.ApiVersion_V3,
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
	}
}
