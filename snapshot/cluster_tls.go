package snapshot

import (
	"net/netip"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// systemAuthorities is where Debian, its kin and Envoy's own images keep the certificates of public authorities.
const systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

// upstreamTLS verifies the endpoints' certificate and name; Envoy by itself verifies neither.
func upstreamTLS(cluster *graftv1alpha1.Cluster) *tlsv3.UpstreamTlsContext {
	t := cluster.GetTls()
	name := serverName(cluster)
	common := &tlsv3.CommonTlsContext{
		TlsParams: &tlsv3.TlsParameters{TlsMinimumProtocolVersion: tlsv3.TlsParameters_TLSv1_2},
	}
	if cluster.GetHttp2() {
		common.AlpnProtocols = []string{"h2"} // elsewhere Envoy derives it from the protocol options
	}
	if t.GetCertFile() != "" {
		common.TlsCertificateSdsSecretConfigs = []*tlsv3.SdsSecretConfig{sdsSecret(clusterCertificate(cluster.GetName()))}
	}
	if !t.GetInsecureSkipVerify() {
		verifyUpstream(common, cluster, name)
	}
	context := &tlsv3.UpstreamTlsContext{CommonTlsContext: common}
	if _, err := netip.ParseAddr(name); err != nil {
		context.Sni = name // RFC 6066: no addresses in SNI
	}
	return context
}

func verifyUpstream(common *tlsv3.CommonTlsContext, cluster *graftv1alpha1.Cluster, name string) {
	validation := &tlsv3.CertificateValidationContext{}
	if name != "" {
		validation.MatchTypedSubjectAltNames = []*tlsv3.SubjectAltNameMatcher{subjectAltName(name)}
	}
	if cluster.GetTls().GetCaFile() == "" {
		validation.TrustedCa = &corev3.DataSource{Specifier: &corev3.DataSource_Filename{Filename: systemAuthorities}}
		common.ValidationContextType = &tlsv3.CommonTlsContext_ValidationContext{ValidationContext: validation}
		return
	}
	common.ValidationContextType = &tlsv3.CommonTlsContext_CombinedValidationContext{
		CombinedValidationContext: &tlsv3.CommonTlsContext_CombinedCertificateValidationContext{
			DefaultValidationContext:         validation,
			ValidationContextSdsSecretConfig: sdsSecret(clusterCA(cluster.GetName())),
		},
	}
}

// serverName is the name that the endpoints' certificate must carry: the one written, else the host of the first endpoint.
func serverName(cluster *graftv1alpha1.Cluster) string {
	if name := cluster.GetTls().GetServerName(); name != "" {
		return name
	}
	if endpoints := clusterEndpoints(cluster); len(endpoints) > 0 {
		return endpoints[0].host
	}
	return ""
}

func subjectAltName(name string) *tlsv3.SubjectAltNameMatcher {
	kind := tlsv3.SubjectAltNameMatcher_DNS
	if _, err := netip.ParseAddr(name); err == nil {
		kind = tlsv3.SubjectAltNameMatcher_IP_ADDRESS
	}
	return &tlsv3.SubjectAltNameMatcher{
		SanType: kind,
		Matcher: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: name}},
	}
}
