package clients

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/test/grafttest"
)

// deltaStream is a client of a delta service.
type deltaStream struct {
	*stream[*discoveryv3.DeltaDiscoveryRequest, *discoveryv3.DeltaDiscoveryResponse]
	node   string // of the first request
	begun  bool
	fences int
	close  func() error // the connection
}

func openDelta(t *testing.T, g *grafttest.Graft, node string) *deltaStream {
	t.Helper()
	ctx, conn := dial(t, g)
	w, err := discoveryv3.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(ctx)
	return &deltaStream{stream: read(t, w, err), node: node, close: conn.Close}
}

// ask sends a request; the first tells the node, as Envoy does.
func (d *deltaStream) ask(request *discoveryv3.DeltaDiscoveryRequest) {
	d.t.Helper()
	if !d.begun {
		d.begun, request.Node = true, envoyNode(d.node)
	}
	d.send(request)
}

func (d *deltaStream) ack(response *discoveryv3.DeltaDiscoveryResponse) {
	d.t.Helper()
	d.ask(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: response.GetTypeUrl(), ResponseNonce: response.GetNonce()})
}

func (d *deltaStream) nack(response *discoveryv3.DeltaDiscoveryResponse, text string) {
	d.t.Helper()
	d.ask(&discoveryv3.DeltaDiscoveryRequest{
		TypeUrl: response.GetTypeUrl(), ResponseNonce: response.GetNonce(), ErrorDetail: &rpcstatus.Status{Message: text},
	})
}

// take receives a response of a type and ACKs it.
func (d *deltaStream) take(typeURL string) *discoveryv3.DeltaDiscoveryResponse {
	d.t.Helper()
	response := d.receive()
	if response.GetTypeUrl() != typeURL {
		d.t.Fatalf("got %s %q, want %s", response.GetTypeUrl(), inDelta(response), typeURL)
	}
	d.ack(response)
	return response
}

// silent shows that nothing was to be said until now: the next response is the answer to a question that is asked here.
// It is about a slot, as those go out after everything else, and those by name.
func (d *deltaStream) silent() {
	d.t.Helper()
	d.fences++
	fence := fmt.Sprintf("zz/fence-%d", d.fences)
	d.ask(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: snapshot.ExtensionType, ResourceNamesSubscribe: []string{fence}})
	response := d.receive()
	if got := inDelta(response); got != fence {
		d.t.Fatalf("got %s %q %s, want silence", response.GetTypeUrl(), got, response.GetSystemVersionInfo())
	}
	d.ack(response)
}

// inDelta names what is in a response: its resources, and those that it removes with a minus sign.
func inDelta(response *discoveryv3.DeltaDiscoveryResponse) string {
	var names []string
	for _, r := range response.GetResources() {
		names = append(names, r.GetName())
	}
	slices.Sort(names)
	for _, name := range slices.Sorted(slices.Values(response.GetRemovedResources())) {
		names = append(names, "-"+name)
	}
	return strings.Join(names, " ")
}

// versions are the versions of the resources in a response, by name.
func versions(response *discoveryv3.DeltaDiscoveryResponse) map[string]string {
	out := map[string]string{}
	for _, r := range response.GetResources() {
		out[r.GetName()] = r.GetVersion()
	}
	return out
}
