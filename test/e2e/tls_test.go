package e2e

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/test/envoytest"
)

// secureFiles are what graft and its proxies know each other by.
type secureFiles struct {
	dir, CA, Cert, Key, ProxyCert, ProxyKey string
}

func newSecureFiles(t *testing.T, a *authority) secureFiles {
	t.Helper()
	dir := t.TempDir()
	server, proxy := a.Issue(10), a.Issue(20)
	return secureFiles{
		dir: dir, CA: save(t, dir, "ca.crt", a.PEM),
		Cert: save(t, dir, "graft.crt", server.Cert), Key: save(t, dir, "graft.key", server.Key),
		ProxyCert: save(t, dir, "proxy.crt", proxy.Cert), ProxyKey: save(t, dir, "proxy.key", proxy.Key),
	}
}

// TestXDSOverTLS has an Envoy verify graft. A client that speaks no TLS gets nothing.
func TestXDSOverTLS(t *testing.T) {
	a := newAuthority(t)
	files := newSecureFiles(t, a)
	port := envoytest.Ports(t, 1)[0]
	g := newGraft(t, map[string]string{"proxy.yaml": proxyDocument(port, "127.0.0.1:9"), "x.yaml": luaFilter("x", "tls", 0)},
		"--tls-cert", files.Cert, "--tls-key", files.Key)
	g.Envoy("1.40", "edge-1", "edge", "--tls-ca", files.CA)
	g.AwaitAcked()
	if got := get(t, fmt.Sprintf("http://127.0.0.1:%d/hi", port)).Header.Get("order"); got != "tls" {
		t.Errorf("order: %q", got)
	}
	if n, err := listeners(t, g.XDS, insecure.NewCredentials()); err == nil {
		t.Errorf("a client without TLS got %d listeners", n)
	}
}

// TestXDSOverMutualTLS has graft verify its proxies: without a certificate, or with a foreign one, a client gets nothing,
// and the same client with the right one gets its listeners.
func TestXDSOverMutualTLS(t *testing.T) {
	a := newAuthority(t)
	files := newSecureFiles(t, a)
	port := envoytest.Ports(t, 1)[0]
	g := newGraft(t, map[string]string{"proxy.yaml": proxyDocument(port, "127.0.0.1:9"), "x.yaml": luaFilter("x", "first", 0)},
		"--tls-cert", files.Cert, "--tls-key", files.Key, "--tls-client-ca", files.CA)
	envoy := g.Envoy("1.40", "edge-1", "edge", "--tls-ca", files.CA, "--tls-cert", files.ProxyCert, "--tls-key", files.ProxyKey)
	g.AwaitAcked()

	right := a.Issue(30)
	for _, c := range []struct {
		name  string
		shown []certificate
		want  bool
	}{
		{"no certificate", nil, false},
		{"foreign certificate", []certificate{newAuthority(t).Issue(30)}, false},
		{"right certificate", []certificate{right}, true},
	} {
		n, err := listeners(t, g.XDS, credentials.NewTLS(a.client(c.shown...)))
		if got := err == nil && n == 1; got != c.want || (!c.want && n > 0) {
			t.Errorf("%s: %d listeners, %v", c.name, n, err)
		}
	}

	renewGraft(t, a, g, files, right)
	load := gentle(t, port)
	apply(t, g, edit{
		what:   "an edit after the renewal",
		change: func(g *graft) { g.Write("x.yaml", luaFilter("x", "second", 0)) }, want: map[string]string{"order": "second"},
	}, load)
	unharmed(t, load)
	if n, err := envoy.Stat("cluster.graft-xds.upstream_cx_total"); err != nil || n != 1 {
		t.Errorf("the proxy had to connect %d times (%v)", n, err)
	}
}

// renewGraft renews graft's certificate on disk, first one file, then the other: new connections are shown the old one as
// long as they do not fit, then the new one.
func renewGraft(t *testing.T, a *authority, g *graft, files secureFiles, client certificate) {
	t.Helper()
	shown := func(want int64) error {
		config := a.client(client)
		config.NextProtos = []string{"h2"}
		if got, err := serial(g.XDS, config); err != nil || got != want {
			return errors.Join(err, fmt.Errorf("certificate %d, want %d", got, want))
		}
		return nil
	}
	renewed := a.Issue(11)
	save(t, files.dir, "graft.crt", renewed.Cert)
	if err := shown(10); err != nil {
		t.Errorf("half renewed: %v", err)
	}
	save(t, files.dir, "graft.key", renewed.Key)
	envoytest.Eventually(t, patience, "the renewed certificate is shown", func() error { return shown(11) })
}

// listeners asks graft for all listeners, as a proxy of the cluster "edge" would, and returns how many it is given.
func listeners(t *testing.T, xds string, c credentials.TransportCredentials) (int, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := grpc.NewClient(xds, grpc.WithTransportCredentials(c))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(ctx)
	if err != nil {
		return 0, err
	}
	node := &corev3.Node{Id: "client", Cluster: "edge"}
	if err := stream.Send(&discoveryv3.DeltaDiscoveryRequest{Node: node, TypeUrl: snapshot.ListenerType}); err != nil {
		return 0, err
	}
	response, err := stream.Recv()
	return len(response.GetResources()), err
}

// TestListenerTLS has a listener with a certificate, and one that asks its clients for theirs. All of it travels by SDS:
// renewed files reach new connections, the old ones live on, and the listeners are not touched.
func TestListenerTLS(t *testing.T) {
	a, clients := newAuthority(t), newAuthority(t)
	ports := envoytest.Ports(t, 2)
	first := a.Issue(1)
	g := newGraft(t, map[string]string{
		"web.crt": first.Cert, "web.key": first.Key, "clients.crt": clients.PEM,
		"proxy.yaml": fmt.Sprintf(`
apiVersion: graft.dev/v1alpha1
kind: Proxy
metadata: {name: edge}
spec:
  nodes: {cluster: edge}
  listeners:
  - name: web
    address: 127.0.0.1:%d
    tls: {certFile: web.crt, keyFile: ./web.key}
    routes: [{name: hi, prefix: /, response: {status: 200}}]
  - name: mutual
    address: 127.0.0.1:%d
    tls: {certFile: web.crt, keyFile: web.key, clientCAFile: clients.crt}
    routes: [{name: hi2, prefix: /, response: {status: 200}}]
`, ports[0], ports[1]),
		"x.yaml": luaFilter("x", "tls", 0),
	})
	envoy := g.Envoy("1.40", "edge-1", "edge")
	g.AwaitAcked()
	web, mutual := fmt.Sprintf("127.0.0.1:%d", ports[0]), fmt.Sprintf("127.0.0.1:%d", ports[1])
	old := dialTLS(t, web, a.client())
	if err := old.ask(); err != nil {
		t.Fatal(err)
	}
	wantsCertificates(t, a, clients, mutual)

	renewed := a.Issue(2)
	g.Write("web.crt", renewed.Cert)
	g.AwaitStatus("half a renewal is a problem", func(s plane.Status) error {
		for _, p := range s.Problems {
			if strings.Contains(p.Where, "certFile") && strings.Contains(p.What, "web.crt") {
				return nil
			}
		}
		return fmt.Errorf("problems: %+v", s.Problems)
	})
	if got, err := serial(web, a.client()); err != nil || got != 1 {
		t.Errorf("half renewed: certificate %d (%v)", got, err)
	}
	g.Write("web.key", renewed.Key)
	envoytest.Eventually(t, patience, "the renewed certificate is shown", func() error {
		if got, err := serial(web, a.client()); err != nil || got != 2 {
			return errors.Join(err, fmt.Errorf("certificate %d", got))
		}
		return nil
	})
	if err := old.ask(); err != nil {
		t.Errorf("the connection from before the renewal: %v", err)
	}
	untouched(t, envoy)
}

// wantsCertificates has clients with and without certificates ask a listener that verifies them.
func wantsCertificates(t *testing.T, a, clients *authority, address string) {
	t.Helper()
	if err := dialTLS(t, address, a.client(clients.Issue(5))).ask(); err != nil {
		t.Errorf("with a certificate: %v", err)
	}
	for name, config := range map[string]*tls.Config{
		"without a certificate": a.client(), "with a foreign certificate": a.client(a.Issue(5)),
	} {
		if err := dialTLS(t, address, config).ask(); err == nil {
			t.Errorf("%s a client is answered", name)
		}
	}
}

// tlsConn is one connection to a proxy.
type tlsConn struct {
	conn   *tls.Conn
	reader *bufio.Reader
}

func dialTLS(t *testing.T, address string, config *tls.Config) *tlsConn {
	t.Helper()
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &tlsConn{conn: conn, reader: bufio.NewReader(conn)}
}

// ask makes a request on the connection; the filter of the test has to have seen it.
func (c *tlsConn) ask() error {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://web/", nil)
	if err != nil {
		return err
	}
	if err := req.Write(c.conn); err != nil {
		return err
	}
	res, err := http.ReadResponse(c.reader, req)
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("order") != "tls" || res.Close {
		return fmt.Errorf("%s, %v", res.Status, res.Header)
	}
	return nil
}
