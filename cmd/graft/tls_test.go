package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// certificate makes a self-signed pair of PEM texts.
func certificate(t *testing.T, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

// write saves a file that is so many minutes newer than one of the start.
func write(t *testing.T, path, text string, minutes int) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(time.Duration(minutes) * time.Minute)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestTLSMistakesEndTheStart(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, "one")
	_, otherKey := certificate(t, "two")
	for name, text := range map[string]string{"cert.pem": cert, "key.pem": key, "other.pem": otherKey, "empty.pem": ""} {
		write(t, filepath.Join(dir, name), text, 0)
	}
	for _, c := range []struct{ name, cert, key, ca, want string }{
		{"no file", "none.pem", "key.pem", "", "none.pem: no such file"},
		{"no PEM", "empty.pem", "key.pem", "", "failed to find any PEM data"},
		{"the key of another", "cert.pem", "other.pem", "", "private key does not match public key"},
		{"the other way round", "key.pem", "cert.pem", "", "PEM"},
		{"no authority", "cert.pem", "key.pem", "none.pem", "client certificates: open"},
		{"an empty authority", "cert.pem", "key.pem", "empty.pem", "no PEM certificate in it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Settings{TLSCert: filepath.Join(dir, c.cert), TLSKey: filepath.Join(dir, c.key)}
			if c.ca != "" {
				s.TLSClientCA = filepath.Join(dir, c.ca)
			}
			if _, err := serverTLS(s, zap.NewNop()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	if config, err := serverTLS(Settings{}, zap.NewNop()); config != nil || err != nil {
		t.Errorf("without a certificate: %v, %v", config, err)
	}
}

// TestTLSFollowsItsFiles renews a certificate file by file, as tools do.
func TestTLSFollowsItsFiles(t *testing.T) {
	dir := t.TempDir()
	s := Settings{TLSCert: filepath.Join(dir, "cert.pem"), TLSKey: filepath.Join(dir, "key.pem"), TLSClientCA: filepath.Join(dir, "ca.pem")}
	cert, key := certificate(t, "one")
	write(t, s.TLSCert, cert, 0)
	write(t, s.TLSKey, key, 0)
	write(t, s.TLSClientCA, cert, 0)
	core, logs := observer.New(zapcore.InfoLevel)
	config, err := serverTLS(s, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	shown := func(want string) *tls.Config {
		t.Helper()
		now, err := config.GetConfigForClient(nil)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(now.Certificates[0].Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if leaf.Subject.CommonName != want {
			t.Errorf("it shows the certificate of %s, want %s", leaf.Subject.CommonName, want)
		}
		return now
	}
	if now := shown("one"); now.ClientAuth != tls.RequireAndVerifyClientCert || now.NextProtos[0] != "h2" {
		t.Errorf("client authentication %v, protocols %v", now.ClientAuth, now.NextProtos)
	}
	cert, key = certificate(t, "two")
	write(t, s.TLSCert, cert, 1)
	shown("one") // the key does not fit yet
	shown("one")
	if logs.FilterMessageSnippet("cannot be read again").Len() != 1 {
		t.Errorf("half a renewal is told once: %v", logs.All())
	}
	write(t, s.TLSKey, key, 1)
	shown("two")
	if err := os.Remove(s.TLSCert); err != nil {
		t.Fatal(err)
	}
	shown("two")
}
