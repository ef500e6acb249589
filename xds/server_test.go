package xds

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/graft-xds/graft/snapshot"
)

func dialTCP(t testing.TB, addr string, config *tls.Config) *grpc.ClientConn {
	t.Helper()
	creds := insecure.NewCredentials()
	if config != nil {
		creds = credentials.NewTLS(config)
	}
	conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(creds))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestStopEndsStreams(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane()
	w.publish(cluster("x", "1"))
	c := w.delta("p")
	c.subscribe(snapshot.ClusterType)
	c.expect("CDS x@1")
	began := time.Now()
	w.stop()
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("a stop with one open stream took %v", took)
	}
	if _, ok := <-c.in; ok {
		t.Error("a response after the stop")
	}
}

func TestServeGivesTheListenersError(t *testing.T) {
	t.Parallel()
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listen.Close()
	s := New(Options{})
	defer s.Stop()
	if err := s.Serve(context.Background(), listen); err == nil {
		t.Error("a closed listener is no error")
	}
}

func TestMutualTLS(t *testing.T) {
	t.Parallel()
	pool, certificate := selfSigned(t)
	w := newWorld(t, func(o *Options) {
		o.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	})
	w.plane()
	w.publish(cluster("x", "1"))
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- w.server.Serve(t.Context(), listen) }()
	config := &tls.Config{RootCAs: pool, ServerName: "graft", Certificates: []tls.Certificate{certificate}}
	c := w.deltaOn(dialTCP(t, listen.Addr().String(), config), "p")
	c.subscribe(snapshot.ClusterType)
	c.takes("CDS x@1")

	config = &tls.Config{RootCAs: pool, ServerName: "graft"}
	conn := dialTCP(t, listen.Addr().String(), config)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := conn.Invoke(ctx, "/any/method", nil, nil); err == nil {
		t.Error("a client without a certificate is let in")
	}
	c.stop()
	w.stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func selfSigned(t *testing.T) (*x509.CertPool, tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "graft"}, DNSNames: []string{"graft"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return pool, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
