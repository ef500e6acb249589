package target

import (
	"context"
	"crypto/tls"
	"fmt"
	"math"
	"net"
	"strconv"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	cachev3 "github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	serverv3 "github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/protobuf/proto"
)

// stock is go-control-plane as its example server uses it: a SnapshotCache keyed by node ID, a snapshot per node.
type stock struct {
	fleet   Fleet
	cache   cachev3.SnapshotCache
	service *service
	number  int
	ready   []types.Resource
}

func newStock(fleet Fleet, secure *tls.Config) *stock {
	cache := cachev3.NewSnapshotCache(true, cachev3.IDHash{}, nil)
	return &stock{fleet: fleet, cache: cache, service: newService(cache, secure)}
}

func (s *stock) serve(lis net.Listener) error { return s.service.grpc.Serve(lis) }

func (s *stock) prepare(_ context.Context, e *edition) (err error) {
	s.number++
	s.ready, err = resources(e.bodies)
	return err
}

func (s *stock) push(ctx context.Context) error {
	for i := range s.fleet.Count {
		snapshot, err := cachev3.NewSnapshot(strconv.Itoa(s.number), map[resource.Type][]types.Resource{resource.ExtensionConfigType: s.ready})
		if err != nil {
			return err
		}
		if err := s.cache.SetSnapshot(ctx, fmt.Sprintf("proxy-%d", i), snapshot); err != nil {
			return err
		}
	}
	return nil
}

// version is that of the snapshot in the state of the world, and in delta a hash of the resource that the cache makes.
func (s *stock) version(b body) string {
	if s.fleet.Protocol == "sotw" {
		return strconv.Itoa(s.number)
	}
	return cachev3.HashResource(b.config)
}

func (s *stock) stop() { s.service.stop() }

// linear is go-control-plane's other cache: one set of resources for all nodes, marshalled once.
type linear struct {
	cache   *cachev3.LinearCache
	service *service
	ready   map[string]types.Resource
	sent    map[string]body
	bodies  []body
}

func newLinear(secure *tls.Config) *linear {
	cache := cachev3.NewLinearCache(resource.ExtensionConfigType)
	mux := &cachev3.MuxCache{
		Classify:      func(*cachev3.Request) string { return "" },
		ClassifyDelta: func(*cachev3.DeltaRequest) string { return "" },
		Caches:        map[string]cachev3.Cache{"": cache},
	}
	return &linear{cache: cache, service: newService(mux, secure), sent: map[string]body{}}
}

func (l *linear) serve(lis net.Listener) error { return l.service.grpc.Serve(lis) }

func (l *linear) prepare(_ context.Context, e *edition) error {
	l.bodies, l.ready = e.bodies, map[string]types.Resource{}
	for _, b := range e.bodies {
		if l.sent[b.name].sum == b.sum {
			continue
		}
		made, err := resources([]body{b})
		if err != nil {
			return err
		}
		l.ready[b.name] = made[0]
	}
	return nil
}

func (l *linear) push(context.Context) error {
	for _, b := range l.bodies {
		l.sent[b.name] = b
	}
	return l.cache.UpdateResources(l.ready, nil)
}

func (l *linear) version(b body) string { return cachev3.HashResource(b.config) }

func (l *linear) stop() { l.service.stop() }

func resources(bodies []body) ([]types.Resource, error) {
	var all []types.Resource
	for _, b := range bodies {
		var config corev3.TypedExtensionConfig
		if err := proto.Unmarshal(b.config, &config); err != nil {
			return nil, fmt.Errorf("%s: %w", b.name, err)
		}
		all = append(all, &config)
	}
	return all, nil
}

// service is go-control-plane's server with the gRPC options of its example.
type service struct {
	grpc   *grpc.Server
	cancel context.CancelFunc
}

func newService(cache cachev3.Cache, secure *tls.Config) *service {
	options := []grpc.ServerOption{
		grpc.MaxConcurrentStreams(math.MaxUint32),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 5 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 30 * time.Second, PermitWithoutStream: true}),
	}
	if secure != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(secure)))
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &service{grpc: grpc.NewServer(options...), cancel: cancel}
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(s.grpc, serverv3.NewServer(ctx, cache, nil))
	return s
}

func (s *service) stop() {
	s.cancel()
	s.grpc.Stop()
}
