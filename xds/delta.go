package xds

import (
	"context"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/delta/v3"
	"google.golang.org/grpc"
)

// bellType is the type of a request that no client sends: each stream begins with one, made here, so that
// go-control-plane opens a watch that lasts as long as the stream. Its channel is the bell.
const bellType = "graft/bell"

// bell holds the requests of that type, which all streams share; go-control-plane only reads them.
type bell struct {
	delta *discoveryv3.DeltaDiscoveryRequest
	sotw  *discoveryv3.DiscoveryRequest
}

func newBell() bell {
	node := &corev3.Node{} // stands for the nodes that Recv takes out
	return bell{
		delta: &discoveryv3.DeltaDiscoveryRequest{TypeUrl: bellType, Node: node},
		sotw:  &discoveryv3.DiscoveryRequest{TypeUrl: bellType, Node: node},
	}
}

// deltaStream joins a gRPC stream and its session to go-control-plane's delta server: it is the stream, the cache and the
// callbacks of a server of its own.
type deltaStream struct {
	grpc.ServerStream
	session *session
	begun   bool              // the bell's request was given out
	first   map[string]string // initial_resource_versions of the request at hand
}

// serveDelta handles one stream until it ends; only is the type of a separate service.
func (s *Server) serveDelta(stream grpc.ServerStream, only string) error {
	d := &deltaStream{ServerStream: stream, session: newSession(s, true, only)}
	return delta.NewServer(s.streams, d, d, delta.DeactivateLegacyWildcardForTypes(namedTypes())).DeltaStreamHandler(d, "")
}

// Recv gives the next request, with the node taken out of it: the session keeps what it needs.
func (d *deltaStream) Recv() (*discoveryv3.DeltaDiscoveryRequest, error) {
	if !d.begun {
		d.begun = true
		return &discoveryv3.DeltaDiscoveryRequest{TypeUrl: bellType, Node: d.session.server.bell.sotw.GetNode()}, nil
	}
	req := &discoveryv3.DeltaDiscoveryRequest{}
	if err := d.RecvMsg(req); err != nil {
		return nil, err
	}
	d.session.meet(req.GetNode())
	req.Node = nil
	req.TypeUrl = d.session.typeOf(req.GetTypeUrl())
	return req, nil
}

// OnStreamDeltaRequest sees each request before the subscription is brought up to date.
func (d *deltaStream) OnStreamDeltaRequest(_ int64, req *discoveryv3.DeltaDiscoveryRequest) error {
	if req.GetTypeUrl() == bellType {
		return nil
	}
	d.first, req.InitialResourceVersions = req.GetInitialResourceVersions(), nil
	return d.session.heard(req.GetTypeUrl(), answer{
		nonce: req.GetResponseNonce(), refused: req.GetErrorDetail() != nil, text: req.GetErrorDetail().GetMessage(),
	})
}

// CreateDeltaWatch implements cache.ConfigWatcher.
func (d *deltaStream) CreateDeltaWatch(req *cache.DeltaRequest, sub cache.Subscription, out chan cache.DeltaResponse) (func(), error) {
	if req.GetTypeUrl() == bellType {
		d.session.open(func() { out <- d }) // never blocks: there is one ticket at most
		return d.session.close, nil
	}
	return nil, d.session.subscribe(request{
		typeURL: req.GetTypeUrl(), sub: sub, nonce: req.GetResponseNonce(),
		asked: req.GetResourceNamesSubscribe(), left: req.GetResourceNamesUnsubscribe(), versions: d.first,
	})
}

// CreateWatch implements cache.ConfigWatcher; there is no such watch on a delta stream.
func (d *deltaStream) CreateWatch(*cache.Request, cache.Subscription, chan cache.Response) (func(), error) {
	return nil, errKind
}

// GetDeltaDiscoveryResponse is where a ticket becomes a response: now, in the goroutine of the stream.
func (d *deltaStream) GetDeltaDiscoveryResponse() (*discoveryv3.DeltaDiscoveryResponse, error) {
	d.session.take()
	return &discoveryv3.DeltaDiscoveryResponse{}, nil
}

// Send sends the frame that the ticket became, if any; of the response it is given it takes only the nonce.
func (d *deltaStream) Send(res *discoveryv3.DeltaDiscoveryResponse) error {
	f := d.session.out
	if f == nil {
		return nil
	}
	d.session.sent(f, res.GetNonce())
	return d.SendMsg(f)
}

// The rest of cache.DeltaResponse: all tickets answer the bell, so go-control-plane learns nothing about the real types.

func (d *deltaStream) GetDeltaRequest() *discoveryv3.DeltaDiscoveryRequest {
	return d.session.server.bell.delta
}
func (d *deltaStream) GetSystemVersion() (string, error)    { return "", nil }
func (d *deltaStream) GetResponseVersion() string           { return "" }
func (d *deltaStream) GetNextVersionMap() map[string]string { return map[string]string{} }

func (d *deltaStream) GetReturnedResources() map[string]string { return map[string]string{} }
func (d *deltaStream) GetContext() context.Context             { return d.Context() }

// The rest of delta.Callbacks.

func (d *deltaStream) OnDeltaStreamOpen(context.Context, int64, string) error { return nil }
func (d *deltaStream) OnDeltaStreamClosed(int64, *corev3.Node)                {}
func (d *deltaStream) OnStreamDeltaResponse(int64, *discoveryv3.DeltaDiscoveryRequest, *discoveryv3.DeltaDiscoveryResponse) {
}
