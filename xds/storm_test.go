package xds

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"

	"github.com/graft-xds/graft/snapshot"
)

// All proxies come back at once, to a graft that has just started. None is sent what it has, and each is served.
func TestReconnectStorm(t *testing.T) {
	const streams, conns = 2000, 8
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "1"))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var all [conns]*grpc.ClientConn
	for i := range all {
		all[i] = w.dial()
		defer func() { _ = all[i].Close() }()
	}
	connected, served := make(chan error, streams), make(chan error, streams)
	for i := range streams {
		go func() {
			first := true
			report := func(err error) {
				if first {
					connected <- err
				}
				served <- err
			}
			stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(all[i%conns]).DeltaAggregatedResources(ctx)
			if err != nil {
				report(err)
				return
			}
			err = stream.Send(&discoveryv3.DeltaDiscoveryRequest{
				Node: testNode(fmt.Sprint("p", i)), TypeUrl: snapshot.ExtensionType,
				ResourceNamesSubscribe: []string{"a"}, InitialResourceVersions: map[string]string{"a": "1"},
			})
			if err != nil {
				report(err)
				return
			}
			connected <- nil
			first = false
			res, err := stream.Recv()
			if err == nil && describe(res) != "ECDS a=2#inc" {
				err = errors.New(describe(res))
			}
			report(err)
		}()
	}
	for range streams {
		if err := <-connected; err != nil {
			t.Fatal(err)
		}
	}
	w.eventually("all are placed", func() bool {
		n := 0
		for _, p := range w.server.Proxies() {
			n += len(p.Slots)
		}
		return n == streams
	})
	if pushes := w.server.Counters().Types[snapshot.ExtensionType].Pushes; pushes != 0 {
		t.Errorf("%d pushes of what they have", pushes)
	}
	w.publish(content("a", "2"))
	for range streams {
		if err := <-served; err != nil {
			t.Fatal(err)
		}
	}
}

// Everything at once: what is asked is whether the race detector, goleak and the clients have anything to say.
func TestHammer(t *testing.T) {
	w := newWorld(t)
	w.plane()
	w.publish(content("a", "0"))
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	repeat := func(f func(i int)) {
		wait.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-ctx.Done():
					return
				default:
					f(i)
				}
			}
		})
	}
	for n := range 8 {
		repeat(func(i int) { w.wildProxy(ctx, fmt.Sprint("p", n), rand.New(rand.NewPCG(uint64(n), uint64(i)))) })
	}
	repeat(func(int) {
		w.server.Proxies()
		w.server.Counters()
		w.server.Fetched(tokenOf("p1"), "m1")
	})
	repeat(func(int) { w.clock.advance(time.Second) })
	var mu sync.Mutex
	edit := func(i int) {
		mu.Lock()
		defer mu.Unlock()
		config := &snapshot.Config{Selection: fmt.Sprint(i / 10 % 2)}
		now := resources(nil, cluster(snapshot.ModulesCluster, "1"), cluster("x", fmt.Sprint(i%3)), listener("l", fmt.Sprint(i%5)),
			route("r", fmt.Sprint(i%4)), fetched("a", fmt.Sprint("r", i), "m1"), content("b", fmt.Sprint(i%7)))
		result := &snapshot.Result{Groups: map[string]*snapshot.Resources{}}
		for _, group := range w.server.Groups(config) {
			result.Groups[group.Key] = now
		}
		w.server.Publish(config, result)
	}
	repeat(edit)
	<-time.After(time.Second)
	stop()
	wait.Wait()
}

// wildProxy connects, asks for this and that, ACKs, refuses, and leaves.
func (w *world) wildProxy(ctx context.Context, id string, random *rand.Rand) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(w.conn).DeltaAggregatedResources(ctx)
	bad := func(err error) bool {
		if err != nil && ctx.Err() == nil {
			w.Error(err)
		}
		return err != nil
	}
	if bad(err) {
		return
	}
	node := testNode(id)
	send := func(req *discoveryv3.DeltaDiscoveryRequest) {
		req.Node, node = node, nil
		bad(stream.Send(req))
	}
	for _, typeURL := range []string{snapshot.ClusterType, snapshot.ListenerType} {
		send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURL})
	}
	send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: snapshot.RouteType, ResourceNamesSubscribe: []string{"r"}})
	send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: snapshot.ExtensionType, ResourceNamesSubscribe: []string{"a", "b", "foreign"}})
	for range random.IntN(40) {
		res, err := stream.Recv()
		if bad(err) {
			return
		}
		if text := describe(res); len(res.GetResources()) > 0 && text == "" {
			w.Error("nothing in a response")
		}
		req := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: res.GetTypeUrl(), ResponseNonce: res.GetNonce()}
		switch random.IntN(6) {
		case 0:
			req.ErrorDetail = &rpcstatus.Status{Message: "no"}
		case 1:
			if res.GetTypeUrl() == snapshot.ExtensionType {
				req.ResourceNamesUnsubscribe = []string{"b"}
				req.ResourceNamesSubscribe = []string{"b"}
			}
		}
		send(req)
	}
}
