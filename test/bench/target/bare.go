package target

import (
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"sync"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/types/known/anypb"
)

// bare is the floor: a gRPC server that sends the same bytes to every stream and does nothing else. The message is
// marshalled, framed and kept once (grpc.PreparedMsg); nothing in grpc-go sends faster.
type bare struct {
	discoveryv3.UnimplementedAggregatedDiscoveryServiceServer

	server *grpc.Server
	ready  *round // what push will publish

	mu      sync.Mutex
	current *round
}

// round is one publish: its message, and the signal that the next one is there.
type round struct {
	changed  []body // in this round
	all      []body // for streams that have nothing yet
	number   int
	once     sync.Once
	prepared grpc.PreparedMsg
	failure  error
	over     chan struct{}
	next     *round // valid once over is closed
}

func newBare(secure *tls.Config) *bare {
	var options []grpc.ServerOption
	if secure != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(secure)))
	}
	b := &bare{server: grpc.NewServer(options...)}
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(b.server, b)
	return b
}

func (b *bare) serve(lis net.Listener) error { return b.server.Serve(lis) }

func (b *bare) prepare(_ context.Context, e *edition) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := &round{all: e.bodies, changed: e.bodies, over: make(chan struct{})}
	if b.current != nil {
		next.number = b.current.number + 1
		next.changed = e.since(b.current.all)
	}
	b.ready = next
	return nil
}

func (b *bare) push(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	last := b.current
	b.current = b.ready
	if last != nil {
		last.next = b.current
		close(last.over)
	}
	return nil
}

func (b *bare) version(of body) string { return strconv.FormatUint(uint64(of.sum), 16) }

func (b *bare) stop() { b.server.Stop() }

// DeltaAggregatedResources sends the whole state, then every round.
func (b *bare) DeltaAggregatedResources(stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		for {
			if _, err := stream.Recv(); err != nil {
				ended <- err
				return
			}
		}
	}()
	b.mu.Lock()
	at := b.current
	b.mu.Unlock()
	if missing := b.missing(at.all, first.InitialResourceVersions); len(missing) > 0 {
		if err := stream.Send(b.message(missing, at.number)); err != nil {
			return err
		}
	}
	for {
		select {
		case err := <-ended:
			return err
		case <-at.over:
			at = at.next
		}
		at.once.Do(func() { at.failure = at.prepared.Encode(stream, b.message(at.changed, at.number)) })
		if at.failure != nil {
			return at.failure
		}
		if err := stream.SendMsg(&at.prepared); err != nil {
			return err
		}
	}
}

func (b *bare) missing(all []body, known map[string]string) []body {
	var missing []body
	for _, of := range all {
		if known[of.name] != b.version(of) {
			missing = append(missing, of)
		}
	}
	return missing
}

func (b *bare) message(bodies []body, number int) *discoveryv3.DeltaDiscoveryResponse {
	m := &discoveryv3.DeltaDiscoveryResponse{TypeUrl: extensionType, Nonce: strconv.Itoa(number)}
	for _, of := range bodies {
		m.Resources = append(m.Resources, &discoveryv3.Resource{
			Name: of.name, Version: b.version(of), Resource: &anypb.Any{TypeUrl: extensionType, Value: of.config},
		})
	}
	return m
}
