package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"
)

// keyPair is a certificate on disk that may be renewed at any time. It is read again when a file changes; while the new
// files do not fit together, the old certificate is shown.
type keyPair struct {
	cert, key, clientCA string
	log                 *zap.Logger

	mu     sync.Mutex
	tried  [3]time.Time // the files that were read last, well or badly
	config *tls.Config
}

// serverTLS reads the files once, so that a mistake ends the start, and gives a configuration that follows them. It is nil
// without a certificate.
func serverTLS(s Settings, log *zap.Logger) (*tls.Config, error) {
	if s.TLSCert == "" {
		return nil, nil
	}
	p := &keyPair{cert: s.TLSCert, key: s.TLSKey, clientCA: s.TLSClientCA, log: log}
	if err := p.read(); err != nil {
		return nil, &failure{code: exitFailed, err: err, hint: "--tls-cert, --tls-key and --tls-client-ca name PEM files"}
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return p.current(), nil
		},
	}, nil
}

// current gives the newest configuration that could be read.
func (p *keyPair) current() *tls.Config {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stamps() != p.tried {
		if err := p.read(); err != nil { // half a renewal, perhaps: the rest is another change
			p.log.Warn("the certificate cannot be read again; the one before stays", zap.Error(err))
		} else {
			p.log.Info("the certificate was renewed", zap.String("file", p.cert))
		}
	}
	return p.config
}

func (p *keyPair) stamps() (at [3]time.Time) {
	for i, path := range []string{p.cert, p.key, p.clientCA} {
		if info, err := os.Stat(path); err == nil {
			at[i] = info.ModTime()
		}
	}
	return at
}

func (p *keyPair) read() error {
	p.tried = p.stamps() // before the files: a change meanwhile is seen next time
	pair, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		return fmt.Errorf("certificate %s: %w", p.cert, err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"}, Certificates: []tls.Certificate{pair}}
	if p.clientCA != "" {
		pem, err := os.ReadFile(p.clientCA)
		if err != nil {
			return fmt.Errorf("client certificates: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return fmt.Errorf("client certificates %s: %w", p.clientCA, errors.New("no PEM certificate in it"))
		}
		config.ClientCAs, config.ClientAuth = pool, tls.RequireAndVerifyClientCert
	}
	p.config = config
	return nil
}
