package snapshot

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// Names of secrets, made of the name of the listener or cluster that uses them.
func listenerCertificate(listener string) string { return "listener/" + listener + "/certificate" }
func listenerClientCA(listener string) string    { return "listener/" + listener + "/client-ca" }
func clusterCertificate(cluster string) string   { return "cluster/" + cluster + "/certificate" }
func clusterCA(cluster string) string            { return "cluster/" + cluster + "/ca" }

// fileSecret is a secret and the files it is made of.
type fileSecret struct {
	name      string
	cert, key string // a certificate and its key
	ca        string // or authorities
}

// secretResources builds the certificates that listeners and clusters name.
func secretResources(p *Proxy) []*Resource {
	var out []*Resource
	for _, s := range fileSecrets(p.Spec) {
		out = append(out, newResource(s.name, s.message(p.Files)))
	}
	return out
}

func secretNames(spec *graftv1alpha1.ProxySpec) []string {
	var names []string
	for _, s := range fileSecrets(spec) {
		names = append(names, s.name)
	}
	return names
}

func fileSecrets(spec *graftv1alpha1.ProxySpec) []fileSecret {
	var out []fileSecret
	for _, l := range spec.GetListeners() {
		t := l.GetTls()
		if t.GetCertFile() != "" {
			out = append(out, fileSecret{name: listenerCertificate(l.GetName()), cert: t.GetCertFile(), key: t.GetKeyFile()})
		}
		if t.GetClientCaFile() != "" {
			out = append(out, fileSecret{name: listenerClientCA(l.GetName()), ca: t.GetClientCaFile()})
		}
	}
	for _, c := range spec.GetClusters() {
		t := c.GetTls()
		if t.GetCertFile() != "" {
			out = append(out, fileSecret{name: clusterCertificate(c.GetName()), cert: t.GetCertFile(), key: t.GetKeyFile()})
		}
		if t.GetCaFile() != "" {
			out = append(out, fileSecret{name: clusterCA(c.GetName()), ca: t.GetCaFile()})
		}
	}
	return out
}

func (s fileSecret) message(files map[string]File) proto.Message {
	inline := func(path string) *corev3.DataSource {
		return &corev3.DataSource{Specifier: &corev3.DataSource_InlineBytes{InlineBytes: files[path].Data}}
	}
	if s.ca != "" {
		return &tlsv3.Secret{Name: s.name, Type: &tlsv3.Secret_ValidationContext{
			ValidationContext: &tlsv3.CertificateValidationContext{TrustedCa: inline(s.ca)},
		}}
	}
	return &tlsv3.Secret{Name: s.name, Type: &tlsv3.Secret_TlsCertificate{
		TlsCertificate: &tlsv3.TlsCertificate{CertificateChain: inline(s.cert), PrivateKey: inline(s.key)},
	}}
}
