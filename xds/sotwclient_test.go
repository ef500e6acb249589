package xds

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"

	"github.com/graft-xds/graft/snapshot"
)

// sotwClient speaks state-of-the-world xDS word by word, with the bookkeeping of a client that is in order.
type sotwClient struct {
	*testing.T
	stream  discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesClient
	node    *corev3.Node
	in      chan *discoveryv3.DiscoveryResponse
	stop    func()
	names   map[string][]string
	version map[string]string // accepted last
	nonce   map[string]string // received last
}

func (w *world) sotw(id string) *sotwClient {
	w.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(w.conn).StreamAggregatedResources(ctx)
	if err != nil {
		w.Fatal(err)
	}
	c := &sotwClient{
		T: w.T, stream: stream, node: testNode(id), in: make(chan *discoveryv3.DiscoveryResponse, 64),
		names: map[string][]string{}, version: map[string]string{}, nonce: map[string]string{},
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(c.in)
		for {
			res, err := stream.Recv()
			if err != nil {
				return
			}
			c.in <- res
		}
	}()
	c.stop = func() { cancel(); <-done }
	w.Cleanup(c.stop)
	return c
}

// again opens a new stream with what the client knows.
func (c *sotwClient) again(w *world, id string) *sotwClient {
	c.Helper()
	c.stop()
	next := w.sotw(id)
	next.version = c.version
	return next
}

func (c *sotwClient) request(typeURL string, refusal *rpcstatus.Status) {
	c.Helper()
	err := c.stream.Send(&discoveryv3.DiscoveryRequest{
		Node: c.node, TypeUrl: typeURL, ResourceNames: c.names[typeURL], VersionInfo: c.version[typeURL],
		ResponseNonce: c.nonce[typeURL], ErrorDetail: refusal,
	})
	if err != nil {
		c.Fatal(err)
	}
	c.node = nil
}

func (c *sotwClient) subscribe(typeURL string, names ...string) {
	c.Helper()
	c.names[typeURL] = names
	c.request(typeURL, nil)
}

func (c *sotwClient) ack(res *discoveryv3.DiscoveryResponse) {
	c.Helper()
	c.version[res.GetTypeUrl()] = res.GetVersionInfo()
	c.request(res.GetTypeUrl(), nil)
}

func (c *sotwClient) nack(res *discoveryv3.DiscoveryResponse, text string) {
	c.Helper()
	c.request(res.GetTypeUrl(), &rpcstatus.Status{Code: 13, Message: text})
}

func (c *sotwClient) expect(line string) *discoveryv3.DiscoveryResponse {
	c.Helper()
	select {
	case res, ok := <-c.in:
		if !ok {
			c.Fatal("the stream ended")
		}
		c.nonce[res.GetTypeUrl()] = res.GetNonce()
		if got := describeSotw(res); got != line {
			c.Fatalf("got  %s\nwant %s", got, line)
		}
		return res
	case <-time.After(patience):
		c.Fatalf("no response; want %s", line)
	}
	return nil
}

func (c *sotwClient) takes(line string) {
	c.Helper()
	c.ack(c.expect(line))
}

func (c *sotwClient) refuses(line string) {
	c.Helper()
	c.nack(c.expect(line), "no good")
}

// heard waits until the server has taken all that was sent before.
func (c *sotwClient) heard(w *world) {
	c.Helper()
	w.eventually("answers are heard", func() bool {
		for _, s := range w.server.sessions() {
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, one := range s.watches {
				if one != nil && one.flight != nil {
					return false
				}
			}
		}
		return true
	})
}

func (c *sotwClient) silent() {
	c.Helper()
	select {
	case res, ok := <-c.in:
		if ok {
			c.Fatalf("unexpected response: %s", describeSotw(res))
		}
		c.Fatal("the stream ended")
	case <-time.After(silence):
	}
}

func describeSotw(res *discoveryv3.DiscoveryResponse) string {
	var words []string
	for _, r := range res.GetResources() {
		if r.GetTypeUrl() != res.GetTypeUrl() {
			words = append(words, "BAD TYPE "+r.GetTypeUrl())
		}
		if res.GetTypeUrl() == snapshot.ExtensionType {
			words = append(words, extensionText(r.GetValue()))
		} else {
			words = append(words, bodyText(res.GetTypeUrl(), "", "", r.GetValue()))
		}
	}
	slices.Sort(words)
	return strings.Join(append([]string{kindOf(res.GetTypeUrl())}, words...), " ")
}
