package clients

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	cachev3 "github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/test/grafttest"
)

// sotwStream is a client of a state-of-the-world service.
type sotwStream struct {
	*stream[*discoveryv3.DiscoveryRequest, *discoveryv3.DiscoveryResponse]
	node    string // of the first request
	begun   bool
	version map[string]string // by type: what was ACKed last
	nonce   map[string]string // by type: of the last response
	fences  []string          // slots that silent has asked for
	slots   []string          // and those that the test asks for
}

func openSotw(t *testing.T, g *grafttest.Graft, node string) *sotwStream {
	t.Helper()
	ctx, conn := dial(t, g)
	w, err := discoveryv3.NewAggregatedDiscoveryServiceClient(conn).StreamAggregatedResources(ctx)
	return &sotwStream{stream: read(t, w, err), node: node, version: map[string]string{}, nonce: map[string]string{}}
}

// ask says which resources of a type the client wants now.
func (s *sotwStream) ask(typeURL string, names ...string) {
	s.t.Helper()
	if typeURL == snapshot.ExtensionType {
		s.slots = names
		names = slices.Concat(s.slots, s.fences)
	}
	s.request(typeURL, names, s.nonce[typeURL], "")
}

func (s *sotwStream) request(typeURL string, names []string, nonce, refusal string) {
	s.t.Helper()
	r := &discoveryv3.DiscoveryRequest{TypeUrl: typeURL, ResourceNames: names, VersionInfo: s.version[typeURL], ResponseNonce: nonce}
	if !s.begun {
		s.begun, r.Node = true, envoyNode(s.node)
	}
	if refusal != "" {
		r.ErrorDetail = &rpcstatus.Status{Message: refusal}
	}
	s.send(r)
}

// expect receives a response of a type.
func (s *sotwStream) expect(typeURL string) *discoveryv3.DiscoveryResponse {
	s.t.Helper()
	response := s.receive()
	if response.GetTypeUrl() != typeURL {
		s.t.Fatalf("got %s %q, want %s", response.GetTypeUrl(), inSotw(s.t, response), typeURL)
	}
	s.nonce[typeURL] = response.GetNonce()
	return response
}

// take receives a response of a type and ACKs it; names are what the client wants of the type.
func (s *sotwStream) take(typeURL string, names ...string) *discoveryv3.DiscoveryResponse {
	s.t.Helper()
	response := s.expect(typeURL)
	s.version[typeURL] = response.GetVersionInfo()
	s.ask(typeURL, names...)
	return response
}

// silent is deltaStream.silent for this kind of stream.
func (s *sotwStream) silent() {
	s.t.Helper()
	fence := fmt.Sprintf("zz/fence-%d", len(s.fences))
	s.fences = append(s.fences, fence)
	s.ask(snapshot.ExtensionType, s.slots...)
	response := s.receive()
	if got := inSotw(s.t, response); got != fence {
		s.t.Fatalf("got %s %q %s, want silence", response.GetTypeUrl(), got, response.GetVersionInfo())
	}
	s.nonce[snapshot.ExtensionType], s.version[snapshot.ExtensionType] = response.GetNonce(), response.GetVersionInfo()
	s.ask(snapshot.ExtensionType, s.slots...)
}

// inSotw names the resources in a response.
func inSotw(t *testing.T, response *discoveryv3.DiscoveryResponse) string {
	t.Helper()
	var names []string
	for _, packed := range response.GetResources() {
		names = append(names, nameOf(t, packed))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func nameOf(t *testing.T, packed *anypb.Any) string {
	t.Helper()
	message, err := packed.UnmarshalNew()
	if err != nil {
		t.Fatal(err)
	}
	if extension, ok := message.(*corev3.TypedExtensionConfig); ok {
		return extension.GetName()
	}
	return cachev3.GetResourceName(message)
}
