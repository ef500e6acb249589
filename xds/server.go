package xds

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/graft-xds/graft/snapshot"
)

// Server is the xDS server. Make it with New; all methods are safe from any goroutine.
type Server struct {
	options Options
	grpc    *grpc.Server

	publishing sync.Mutex
	published  atomic.Pointer[published]
	wake       chan struct{}

	mu      sync.Mutex
	all     map[*session]struct{}
	stopped bool           // nothing more is sent
	senders sync.WaitGroup // goroutines that send

	press    *press
	catalog  *catalog
	verdicts *book
	memories *memories
	counters counters
	serial   atomic.Uint64
	nextSlot func(have, want map[string]*snapshot.Content) (string, bool)
}

// New makes a server, and loads the verdicts of earlier processes.
func New(o Options) *Server {
	return newServer(o, (*snapshot.Content).Render, snapshot.NextSlot)
}

func newServer(o Options, render func(*snapshot.Content, snapshot.Variant) *snapshot.Resource,
	nextSlot func(have, want map[string]*snapshot.Content) (string, bool),
) *Server {
	o = o.withDefaults()
	s := &Server{
		options: o, wake: make(chan struct{}, 1), all: map[*session]struct{}{}, press: newPress(render), catalog: newCatalog(),
		verdicts: newBook(), memories: newMemories(o.Clock), nextSlot: nextSlot,
	}
	s.grpc = grpc.NewServer(o.grpc()...)
	s.register()
	s.load()
	return s
}

// Limits and sizes of the transport. An Envoy that comes back tells all that it has in its first delta requests, so they
// may be large; it opens few streams on a connection, but one for each slot where each has its own source. A larger write
// buffer makes modules a little cheaper, but a thousand small responses at once then cost more garbage than they weigh.
const (
	maxRequest     = 64 << 20
	writeBuffer    = 32 << 10
	maxStreams     = 1024
	pingAfter      = 30 * time.Second
	pingTimeout    = 10 * time.Second
	minClientPings = 5 * time.Second
)

func (o Options) grpc() []grpc.ServerOption {
	opts := []grpc.ServerOption{
		grpc.ForceServerCodecV2(newCodec()),
		grpc.MaxRecvMsgSize(maxRequest),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time: pingAfter, Timeout: pingTimeout, MaxConnectionAge: o.MaxConnectionAge, MaxConnectionAgeGrace: o.Grace,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minClientPings, PermitWithoutStream: true}),
	}
	if o.TLS != nil { // the TLS layer has a read buffer of its own; a second one is 32 KB for each idle connection
		opts = append(opts, grpc.Creds(credentials.NewTLS(o.TLS)), grpc.ReadBufferSize(0))
	}
	return opts
}

// Serve accepts proxies on l until ctx ends or Stop is called; then it ends their streams within Options.Grace and gives
// nil. It closes l.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	stopped := make(chan struct{})
	defer context.AfterFunc(ctx, func() {
		s.Stop()
		close(stopped)
	})()
	err := s.grpc.Serve(l)
	if ctx.Err() != nil {
		<-stopped
	}
	if err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serve xds on %s: %w", l.Addr(), err)
	}
	return nil
}

// Stop lets what is being sent go out, for Options.Grace at most, and ends all streams. The proxies keep what they have and
// come back to whoever serves next.
func (s *Server) Stop() {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	quiet := make(chan struct{})
	go func() { s.senders.Wait(); close(quiet) }()
	select {
	case <-quiet:
	case <-time.After(s.options.Grace):
	}
	s.grpc.Stop()
}

// sending runs flush in a goroutine of its own, unless the server has been stopped.
func (s *Server) sending(flush func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return
	}
	s.senders.Go(flush)
}

func (s *Server) join(one *session) {
	s.mu.Lock()
	s.all[one] = struct{}{}
	s.mu.Unlock()
}

func (s *Server) leave(one *session) {
	s.mu.Lock()
	delete(s.all, one)
	s.mu.Unlock()
}

func (s *Server) sessions() []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*session, 0, len(s.all))
	for one := range s.all {
		all = append(all, one)
	}
	return all
}
