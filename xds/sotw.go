package xds

import (
	"context"
	"errors"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/sotw/v3"
	"google.golang.org/grpc"
)

// errKind cannot happen: go-control-plane asks a delta stream for delta watches only, and a SotW stream for the others.
var errKind = errors.New("watch of the wrong kind")

// sotwStream is to a state-of-the-world stream what deltaStream is to a delta stream.
type sotwStream struct {
	grpc.ServerStream
	session *session
	begun   bool
	request *discoveryv3.DiscoveryRequest // what the ticket at hand answers
	live    map[string]*discoveryv3.DiscoveryRequest
}

// serveSotw handles one stream until it ends; only is the type of a separate service.
func (s *Server) serveSotw(stream grpc.ServerStream, only string) error {
	d := &sotwStream{ServerStream: stream, session: newSession(s, false, only), live: map[string]*discoveryv3.DiscoveryRequest{}}
	d.request = s.bell.sotw
	return sotw.NewServer(s.streams, d, d, sotw.WithOrderedADS(), sotw.DeactivateLegacyWildcardForTypes(namedTypes())).
		StreamHandler(d, "")
}

// Recv gives the next request, with the node taken out of it: the session keeps what it needs.
func (d *sotwStream) Recv() (*discoveryv3.DiscoveryRequest, error) {
	if !d.begun {
		d.begun = true
		return &discoveryv3.DiscoveryRequest{TypeUrl: bellType, Node: d.session.server.bell.sotw.GetNode()}, nil
	}
	req := &discoveryv3.DiscoveryRequest{}
	if err := d.RecvMsg(req); err != nil {
		return nil, err
	}
	d.session.meet(req.GetNode())
	req.Node = nil
	req.TypeUrl = d.session.typeOf(req.GetTypeUrl())
	return req, nil
}

// OnStreamRequest sees each request, also those that go-control-plane drops because their nonce is stale.
func (d *sotwStream) OnStreamRequest(_ int64, req *discoveryv3.DiscoveryRequest) error {
	if req.GetTypeUrl() == bellType {
		return nil
	}
	return d.session.heard(req.GetTypeUrl(), answer{
		nonce: req.GetResponseNonce(), refused: req.GetErrorDetail() != nil, text: req.GetErrorDetail().GetMessage(),
	})
}

// CreateWatch implements cache.ConfigWatcher.
func (d *sotwStream) CreateWatch(req *cache.Request, sub cache.Subscription, out chan cache.Response) (func(), error) {
	if req.GetTypeUrl() == bellType {
		d.session.open(func() { out <- d }) // never blocks: there is one ticket at most
		return d.session.close, nil
	}
	d.live[req.GetTypeUrl()] = &discoveryv3.DiscoveryRequest{TypeUrl: req.GetTypeUrl()}
	return nil, d.session.subscribe(request{typeURL: req.GetTypeUrl(), sub: sub, version: req.GetVersionInfo(), nonce: req.GetResponseNonce()})
}

// CreateDeltaWatch implements cache.ConfigWatcher; there is no such watch on a SotW stream.
func (d *sotwStream) CreateDeltaWatch(*cache.DeltaRequest, cache.Subscription, chan cache.DeltaResponse) (func(), error) {
	return nil, errKind
}

// GetDiscoveryResponse is where a ticket becomes a response: now, in the goroutine of the stream. From here on the
// ticket answers the type that it turned out to be of, as go-control-plane checks the nonces of that type; one that
// turned out to be nothing goes on answering the bell.
func (d *sotwStream) GetDiscoveryResponse() (*discoveryv3.DiscoveryResponse, error) {
	d.request = d.session.server.bell.sotw
	if f := d.session.take(); f != nil {
		d.request = d.live[f.flight.watch.typeURL]
	}
	return &discoveryv3.DiscoveryResponse{}, nil
}

// Send sends the frame that the ticket became, if any; of the response it is given it takes only the nonce.
func (d *sotwStream) Send(res *discoveryv3.DiscoveryResponse) error {
	d.request = d.session.server.bell.sotw
	f := d.session.out
	if f == nil {
		return nil
	}
	d.session.sent(f, res.GetNonce())
	return d.SendMsg(f)
}

// The rest of cache.Response.

func (d *sotwStream) GetRequest() *discoveryv3.DiscoveryRequest { return d.request }
func (d *sotwStream) GetVersion() (string, error)               { return "", nil }
func (d *sotwStream) GetResponseVersion() string                { return "" }
func (d *sotwStream) GetReturnedResources() map[string]string   { return map[string]string{} }
func (d *sotwStream) GetContext() context.Context               { return d.Context() }

// The rest of sotw.Callbacks.

func (d *sotwStream) OnStreamOpen(context.Context, int64, string) error { return nil }
func (d *sotwStream) OnStreamClosed(int64, *corev3.Node)                {}
func (d *sotwStream) OnStreamResponse(context.Context, int64, *discoveryv3.DiscoveryRequest, *discoveryv3.DiscoveryResponse) {
}
