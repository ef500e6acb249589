package xds

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	extensionservice "github.com/envoyproxy/go-control-plane/envoy/service/extension/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/graft-xds/graft/snapshot"
)

// deltaClient speaks incremental xDS word by word.
type deltaClient struct {
	*testing.T
	stream interface {
		grpc.ClientStream
		Send(*discoveryv3.DeltaDiscoveryRequest) error
		Recv() (*discoveryv3.DeltaDiscoveryResponse, error)
	}
	node *corev3.Node
	in   chan *discoveryv3.DeltaDiscoveryResponse
	stop func()

	marks int
}

func testNode(id string) *corev3.Node {
	return &corev3.Node{Id: id, Cluster: "edge", Extensions: []*corev3.Extension{{Name: filterChainExtension}, {Name: wasmExtension}}}
}

func (w *world) delta(id string) *deltaClient { return w.deltaOn(w.conn, id) }

func (w *world) deltaOn(conn *grpc.ClientConn, id string) *deltaClient {
	w.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(ctx)
	if err != nil {
		w.Fatal(err)
	}
	c := &deltaClient{T: w.T, stream: stream, node: testNode(id), in: make(chan *discoveryv3.DeltaDiscoveryResponse, 64)}
	c.pump(cancel)
	return c
}

// deltaExtensions speaks to the extension service alone.
func (w *world) deltaExtensions(id string) *deltaClient {
	w.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := extensionservice.NewExtensionConfigDiscoveryServiceClient(w.conn).DeltaExtensionConfigs(ctx)
	if err != nil {
		w.Fatal(err)
	}
	c := &deltaClient{T: w.T, stream: stream, node: testNode(id), in: make(chan *discoveryv3.DeltaDiscoveryResponse, 64)}
	c.pump(cancel)
	return c
}

func (c *deltaClient) pump(cancel func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(c.in)
		for {
			res, err := c.stream.Recv()
			if err != nil {
				return
			}
			c.in <- res
		}
	}()
	c.stop = func() { cancel(); <-done }
	c.Cleanup(c.stop)
}

func (c *deltaClient) send(req *discoveryv3.DeltaDiscoveryRequest) {
	c.Helper()
	req.Node, c.node = c.node, nil
	if err := c.stream.Send(req); err != nil {
		c.Fatal(err)
	}
}

func (c *deltaClient) subscribe(typeURL string, names ...string) {
	c.Helper()
	c.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURL, ResourceNamesSubscribe: names})
}

func (c *deltaClient) unsubscribe(typeURL string, names ...string) {
	c.Helper()
	c.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURL, ResourceNamesUnsubscribe: names})
}

// resume subscribes as a client does that comes back: it has name=version of each.
func (c *deltaClient) resume(typeURL string, has map[string]string, names ...string) {
	c.Helper()
	c.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURL, ResourceNamesSubscribe: names, InitialResourceVersions: has})
}

func (c *deltaClient) ack(res *discoveryv3.DeltaDiscoveryResponse) {
	c.Helper()
	c.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: res.GetTypeUrl(), ResponseNonce: res.GetNonce()})
}

func (c *deltaClient) nack(res *discoveryv3.DeltaDiscoveryResponse, text string) {
	c.Helper()
	c.send(&discoveryv3.DeltaDiscoveryRequest{
		TypeUrl: res.GetTypeUrl(), ResponseNonce: res.GetNonce(), ErrorDetail: &rpcstatus.Status{Code: 13, Message: text},
	})
}

func (c *deltaClient) next() *discoveryv3.DeltaDiscoveryResponse {
	c.Helper()
	select {
	case res, ok := <-c.in:
		if !ok {
			c.Fatal("the stream ended")
		}
		return res
	case <-time.After(patience):
		c.Fatal("no response")
	}
	return nil
}

// expect takes the next response, and compares what it says with a line such as "ECDS a=1" or "CDS x@1 y@1 -z".
func (c *deltaClient) expect(line string) *discoveryv3.DeltaDiscoveryResponse {
	c.Helper()
	res := c.next()
	if got := describe(res); got != line {
		c.Fatalf("got  %s\nwant %s", got, line)
	}
	return res
}

// takes expects a response and ACKs it.
func (c *deltaClient) takes(line string) {
	c.Helper()
	c.ack(c.expect(line))
}

func (c *deltaClient) refuses(line string) {
	c.Helper()
	c.nack(c.expect(line), "no good")
}

// heard waits until the server has taken all that was sent before. Nothing may be on its way to the client.
func (c *deltaClient) heard() {
	c.Helper()
	c.marks++
	mark := fmt.Sprintf("mark-%d", c.marks)
	c.subscribe(snapshot.SecretType, mark)
	c.takes("SDS -" + mark)
}

func (c *deltaClient) silent() {
	c.Helper()
	select {
	case res, ok := <-c.in:
		if ok {
			c.Fatalf("unexpected response: %s", describe(res))
		}
		c.Fatal("the stream ended")
	case <-time.After(silence):
	}
}

func kindOf(typeURL string) string {
	return map[string]string{
		snapshot.ClusterType: "CDS", snapshot.EndpointType: "EDS", snapshot.ListenerType: "LDS", snapshot.RouteType: "RDS",
		snapshot.SecretType: "SDS", snapshot.ExtensionType: "ECDS",
	}[typeURL]
}

// describe says what a response holds, and fails loudly where version, name and body do not belong together.
func describe(res *discoveryv3.DeltaDiscoveryResponse) string {
	words := []string{kindOf(res.GetTypeUrl())}
	for _, r := range res.GetResources() {
		if r.GetResource().GetTypeUrl() != res.GetTypeUrl() {
			words = append(words, "BAD TYPE "+r.GetResource().GetTypeUrl())
		}
		words = append(words, bodyText(res.GetTypeUrl(), r.GetName(), r.GetVersion(), r.GetResource().GetValue()))
	}
	removed := slices.Sorted(slices.Values(res.GetRemovedResources()))
	for _, name := range removed {
		words = append(words, "-"+name)
	}
	return strings.Join(words, " ")
}

func bodyText(typeURL, name, version string, body []byte) string {
	if typeURL == snapshot.ExtensionType {
		text := extensionText(body)
		if head := name + "=" + version; version != "" && text != head && !strings.HasPrefix(text, head+" ") {
			return fmt.Sprintf("BAD %s=%s:%q", name, version, text)
		}
		return text
	}
	var text wrapperspb.StringValue
	if err := proto.Unmarshal(body, &text); err != nil {
		return "BAD " + err.Error()
	}
	if version != "" && name+"@"+base(version) != text.GetValue() {
		return "BAD " + name + "@" + version + ": " + text.GetValue()
	}
	if version != "" {
		return name + "@" + version
	}
	return text.GetValue()
}

func extensionText(body []byte) string {
	var config corev3.TypedExtensionConfig
	var text wrapperspb.StringValue
	if err := proto.Unmarshal(body, &config); err != nil {
		return "BAD " + err.Error()
	}
	if err := config.GetTypedConfig().UnmarshalTo(&text); err != nil {
		return "BAD " + err.Error()
	}
	return text.GetValue()
}
