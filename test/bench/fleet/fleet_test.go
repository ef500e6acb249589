package fleet

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
)

// script is a control plane that does what a test says, stream by stream.
type script struct {
	discoveryv3.UnimplementedAggregatedDiscoveryServiceServer
	delta func(discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error
	sotw  func(discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error
}

func (s script) DeltaAggregatedResources(on discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	return s.delta(on)
}

func (s script) StreamAggregatedResources(on discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error {
	return s.sotw(on)
}

func serve(t *testing.T, s script) string {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(server, s)
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(lis) }()
	t.Cleanup(func() { server.Stop(); <-done })
	return lis.Addr().String()
}

func fleetOf(t *testing.T, limit int64, c Connect) *Fleet {
	t.Helper()
	f := New(limit)
	if _, err := f.Connect(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Leave)
	return f
}

func deltaResponse(nonce, version string, size int) *discoveryv3.DeltaDiscoveryResponse {
	return &discoveryv3.DeltaDiscoveryResponse{TypeUrl: extensionType, Nonce: nonce, Resources: []*discoveryv3.Resource{
		{Name: "graft/web", Version: version, Resource: &anypb.Any{TypeUrl: extensionType, Value: bytes.Repeat([]byte{0x12, 0}, size/2)}},
	}}
}

const patience = 10 * time.Second

func TestDeltaSubscribesAcceptsAndComesBack(t *testing.T) {
	requests := make(chan *discoveryv3.DeltaDiscoveryRequest, 8)
	addr := serve(t, script{delta: func(on discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
		for sent := false; ; sent = true {
			asked, err := on.Recv()
			if err != nil {
				return err
			}
			requests <- asked
			if !sent && len(asked.InitialResourceVersions) == 0 {
				if err := on.Send(deltaResponse("1", "v1", 20<<20)); err != nil { // more than the window
					return err
				}
			}
		}
	}})
	c := Connect{Addr: addr, Cluster: "edge", From: 3, Count: 1, Names: []string{"graft/web"}}
	f := fleetOf(t, 1<<30, c)
	times, err := f.Await(t.Context(), map[string]string{"graft/web": "v1"}, patience)
	if err != nil {
		t.Fatal(err)
	}
	if times.Proxies != 1 || times.Last == 0 {
		t.Errorf("times %+v", times)
	}
	if first := <-requests; first.Node.Id != "proxy-3" || first.Node.Cluster != "edge" || first.ResourceNamesSubscribe[0] != "graft/web" || first.TypeUrl != extensionType {
		t.Errorf("subscribed with %v", first)
	}
	if ack := <-requests; ack.ResponseNonce != "1" || ack.ErrorDetail != nil || ack.Node != nil {
		t.Errorf("accepted with %v", ack)
	}
	f.Leave()
	c.Known = true
	if _, err := f.Connect(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if again := <-requests; again.InitialResourceVersions["graft/web"] != "v1" {
		t.Errorf("came back with %v", again)
	}
}

func TestSotWAcceptsWithTheVersion(t *testing.T) {
	requests := make(chan *discoveryv3.DiscoveryRequest, 8)
	addr := serve(t, script{sotw: func(on discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error {
		for sent := false; ; sent = true {
			asked, err := on.Recv()
			if err != nil {
				return err
			}
			requests <- asked
			if !sent {
				if err := on.Send(&discoveryv3.DiscoveryResponse{VersionInfo: "7", Nonce: "n", TypeUrl: extensionType, Resources: []*anypb.Any{slot(t, "graft/web", 10)}}); err != nil {
					return err
				}
			}
		}
	}})
	f := fleetOf(t, 1<<20, Connect{Addr: addr, Protocol: "sotw", Count: 1, Names: []string{"graft/web"}})
	if _, err := f.Await(t.Context(), map[string]string{"graft/web": "7"}, patience); err != nil {
		t.Fatal(err)
	}
	<-requests
	if ack := <-requests; ack.VersionInfo != "7" || ack.ResponseNonce != "n" || ack.ResourceNames[0] != "graft/web" {
		t.Errorf("accepted with %v", ack)
	}
}

func TestRefusingProxyNacks(t *testing.T) {
	nack := make(chan *discoveryv3.DeltaDiscoveryRequest, 1)
	addr := serve(t, script{delta: func(on discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
		if _, err := on.Recv(); err != nil {
			return err
		}
		if err := on.Send(deltaResponse("1", "v1", 10)); err != nil {
			return err
		}
		asked, err := on.Recv()
		if err != nil {
			return err
		}
		nack <- asked
		<-on.Context().Done()
		return nil
	}})
	f := fleetOf(t, 1<<20, Connect{Addr: addr, Count: 1, Names: []string{"graft/web"}, Refuse: true})
	if got := <-nack; got.ErrorDetail.GetMessage() == "" || got.ResponseNonce != "1" {
		t.Errorf("refused with %v", got)
	}
	if r := f.Report(); r.Refusals != 1 || r.Responses != 1 || len(r.Versions) != 0 {
		t.Errorf("report %+v", r)
	}
}

func TestEndedStreamIsAFailure(t *testing.T) {
	addr := serve(t, script{delta: func(discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
		return status.Error(codes.ResourceExhausted, "too many")
	}})
	f := fleetOf(t, 1<<20, Connect{Addr: addr, Count: 1, Names: []string{"graft/web"}})
	_, err := f.Await(t.Context(), map[string]string{"graft/web": "v1"}, patience)
	if err == nil || !strings.Contains(err.Error(), "grpc-status 8 too many") {
		t.Errorf("awaited with %v", err)
	}
}

func TestRunawayServerIsCutOff(t *testing.T) {
	addr := serve(t, script{delta: func(on discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
		for {
			if err := on.Send(deltaResponse("1", "v1", 1000)); err != nil {
				return err
			}
		}
	}})
	f := fleetOf(t, 100_000, Connect{Addr: addr, Count: 1, Names: []string{"graft/web"}})
	_, err := f.Await(t.Context(), map[string]string{"graft/web": "never"}, patience)
	if err == nil || !strings.Contains(err.Error(), "more than 100000 bytes") {
		t.Errorf("awaited with %v", err)
	}
}

func TestStalledProxyReadsNothing(t *testing.T) {
	blocked, push := make(chan struct{}), make(chan struct{})
	addr := serve(t, script{delta: func(on discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
		if err := on.Send(deltaResponse("1", "v1", 10)); err != nil {
			return err
		}
		<-push
		go func() {
			var err error
			for err == nil { // until the end of the stream
				err = on.Send(deltaResponse("2", "v2", 1<<20))
			}
			close(blocked)
		}()
		<-on.Context().Done()
		return nil
	}})
	f := fleetOf(t, 1<<30, Connect{Addr: addr, Count: 1, Names: []string{"graft/web"}})
	if _, err := f.Await(t.Context(), map[string]string{"graft/web": "v1"}, patience); err != nil {
		t.Fatal(err)
	}
	if err := f.Stall(0, 1); err != nil {
		t.Fatal(err)
	}
	close(push)
	select {
	case <-blocked:
		t.Error("the stream ended")
	case <-time.After(200 * time.Millisecond): // the server would have sent hundreds of messages
	}
	if r := f.Report(); r.Proxies != 1 || r.Responses != 1 {
		t.Errorf("report %+v", r)
	}
	f.Leave()
	<-blocked
}
