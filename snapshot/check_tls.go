package snapshot

import (
	"crypto/tls"
	"crypto/x509"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

func (c *checker) listenerTLS(field string, t *graftv1alpha1.ListenerTLS) {
	if t == nil {
		return
	}
	if t.GetSecret() != "" {
		c.refuse(CodeUnsupported, field+".secret", "name the files: certFile and keyFile", "tls.secret is not supported yet")
		return
	}
	if t.GetCertFile() == "" || t.GetKeyFile() == "" {
		c.refuse(CodeTLS, field, "write certFile and keyFile", "a listener with tls needs a certificate and its key")
		return
	}
	c.keyPair(field, t.GetCertFile(), t.GetKeyFile())
	c.authorities(field+".clientCAFile", t.GetClientCaFile())
}

func (c *checker) clusterTLS(field string, t *graftv1alpha1.ClusterTLS) {
	if t == nil {
		return
	}
	c.authorities(field+".caFile", t.GetCaFile())
	if t.GetCaFile() != "" && t.GetInsecureSkipVerify() {
		c.refuse(CodeTLS, field+".insecureSkipVerify", "remove one of them", "caFile says whom to trust, insecureSkipVerify to trust anybody")
	}
	switch certificate, key := t.GetCertFile(), t.GetKeyFile(); {
	case certificate != "" && key != "":
		c.keyPair(field, certificate, key)
	case certificate != "":
		c.refuse(CodeTLS, field+".certFile", "write keyFile too", "a certificate without its key")
	case key != "":
		c.refuse(CodeTLS, field+".keyFile", "write certFile too", "a key without its certificate")
	}
}

// keyPair checks that a certificate and a key can be read and belong together.
func (c *checker) keyPair(field, certPath, keyPath string) {
	certificate, okCert := c.file(field+".certFile", certPath)
	key, okKey := c.file(field+".keyFile", keyPath)
	if !okCert || !okKey {
		return
	}
	if _, err := tls.X509KeyPair(certificate, key); err != nil {
		c.refuse(CodeTLS, field+".certFile", "both must be PEM, and the key must be that of the first certificate",
			"%s and %s: %v", certPath, keyPath, err)
	}
}

// authorities checks a file of PEM certificates; no path, no check.
func (c *checker) authorities(field, path string) {
	if path == "" {
		return
	}
	data, ok := c.file(field, path)
	if ok && !x509.NewCertPool().AppendCertsFromPEM(data) {
		c.refuse(CodeTLS, field, "the file must hold -----BEGIN CERTIFICATE----- blocks", "%s holds no PEM certificate", path)
	}
}
