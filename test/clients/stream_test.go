package clients

import (
	"context"
	"errors"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filterchainv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/filter_chain/v3"
	luav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/graft-xds/graft/test/grafttest"
)

// wire is a stream as every xDS service has it.
type wire[Request, Response any] interface {
	Send(Request) error
	Recv() (Response, error)
}

// stream is one that is read all the time, so that a test can say what came, and that nothing did.
type stream[Request, Response any] struct {
	t    *testing.T
	wire wire[Request, Response]
	in   chan Response
	end  error // why in was closed
}

func read[Request, Response any](t *testing.T, w wire[Request, Response], err error) *stream[Request, Response] {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	s := &stream[Request, Response]{t: t, wire: w, in: make(chan Response, 100)}
	go func() {
		defer close(s.in)
		for {
			response, err := w.Recv()
			if err != nil {
				s.end = err
				return
			}
			s.in <- response
		}
	}()
	return s
}

func (s *stream[Request, Response]) send(request Request) {
	s.t.Helper()
	if err := s.wire.Send(request); err != nil {
		s.t.Fatal(err)
	}
}

// receive waits for the next response.
func (s *stream[Request, Response]) receive() Response {
	s.t.Helper()
	select {
	case response, ok := <-s.in:
		if !ok {
			s.t.Fatalf("the stream ended: %v", s.end)
		}
		return response
	case <-time.After(grafttest.Patience):
		s.t.Fatal("no response")
	}
	panic("unreachable")
}

// failure waits until the server ends the stream, and says why it did.
func (s *stream[Request, Response]) failure() error {
	s.t.Helper()
	select {
	case response, ok := <-s.in:
		if ok {
			s.t.Fatalf("a response instead of an error: %v", response)
		}
		return s.end
	case <-time.After(grafttest.Patience):
		return errors.New("nothing came")
	}
}

// dial connects to graft. The context ends with the test, and with it every stream.
func dial(t *testing.T, g *grafttest.Graft) (context.Context, *grpc.ClientConn) {
	t.Helper()
	conn, err := grpc.NewClient(g.XDS, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return t.Context(), conn
}

// envoyNode is the node of an Envoy of the cluster "edge" that has chain slots.
func envoyNode(id string) *corev3.Node {
	return &corev3.Node{Id: id, Cluster: "edge", Extensions: []*corev3.Extension{
		{Name: "envoy.filters.http.filter_chain"}, {Name: "envoy.wasm.runtime.v8"},
	}}
}

// scripts are the codes of the Lua filters in an ECDS resource, in order.
func scripts(t *testing.T, packed *anypb.Any) []string {
	t.Helper()
	resource, chain := &corev3.TypedExtensionConfig{}, &filterchainv3.FilterChainConfig{}
	if err := errors.Join(packed.UnmarshalTo(resource), resource.GetTypedConfig().UnmarshalTo(chain)); err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, filter := range chain.GetDefaultFilterChain().GetFilters() {
		lua := &luav3.Lua{}
		if filter.GetTypedConfig().MessageIs(lua) {
			if err := filter.GetTypedConfig().UnmarshalTo(lua); err != nil {
				t.Fatal(err)
			}
			codes = append(codes, lua.GetDefaultSourceCode().GetInlineString())
		}
	}
	return codes
}
