package xds

import (
	"strings"
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/graft-xds/graft/snapshot"
)

// What the codec writes is what the protobuf library reads as the message that was meant.
func TestFramesAreMessages(t *testing.T) {
	t.Parallel()
	large := &snapshot.Resource{Type: snapshot.ExtensionType, Name: "big", Version: "9", Body: []byte(strings.Repeat("x", 300_000))}
	empty := &snapshot.Resource{Type: snapshot.ClusterType, Name: "empty", Version: "1"}
	for _, test := range []struct {
		name    string
		items   []item
		removed []string
	}{
		{"nothing", nil, nil},
		{"one", []item{{cluster("x", "1"), "1"}}, nil},
		{"another version", []item{{cluster("x", "1"), "1#2"}}, nil},
		{"several", []item{{cluster("x", "1"), "1"}, {large, "9"}, {empty, "1"}}, nil},
		{"removed", []item{{cluster("x", "1"), "1"}}, []string{"y", "z"}},
		{"only removed", nil, []string{"y"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPress(renderForTest)
			for range 2 { // the second time from memory
				delta := p.frame(true, snapshot.ClusterType, "v", test.items, test.removed)
				delta.nonce = "17"
				wantDelta := &discoveryv3.DeltaDiscoveryResponse{
					SystemVersionInfo: "v", TypeUrl: snapshot.ClusterType, RemovedResources: test.removed, Nonce: "17",
				}
				sotw := p.frame(false, snapshot.ClusterType, "v", test.items, nil)
				sotw.nonce = "18"
				wantSotw := &discoveryv3.DiscoveryResponse{VersionInfo: "v", TypeUrl: snapshot.ClusterType, Nonce: "18"}
				for _, one := range test.items {
					packed := &anypb.Any{TypeUrl: one.Type, Value: one.Body}
					wantSotw.Resources = append(wantSotw.Resources, packed)
					wantDelta.Resources = append(wantDelta.Resources, &discoveryv3.Resource{
						Name: one.Name, Version: one.version, Resource: packed,
					})
				}
				reads(t, delta, wantDelta)
				reads(t, sotw, wantSotw)
			}
		})
	}
}

func reads(t *testing.T, f *frame, want proto.Message) {
	t.Helper()
	buffers, err := newCodec().Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	body := buffers.Materialize()
	if len(body) != f.size() {
		t.Errorf("size: %d, told %d", len(body), f.size())
	}
	got := want.ProtoReflect().New().Interface()
	if err := proto.Unmarshal(body, got); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(want, got) {
		t.Errorf("read as something else:\n%.2000v\nwant:\n%.2000v", got, want)
	}
}

func TestBodiesAreShared(t *testing.T) {
	p := newPress(renderForTest)
	c := content("a", "1")
	first, second := p.inline(c, ""), p.inline(c, "")
	if first != second {
		t.Error("rendered twice")
	}
	if p.inline(c, "x") == first {
		t.Error("another attempt is the same")
	}
	one := item{first, first.Version}
	a, b := p.frame(true, snapshot.ExtensionType, "1", []item{one}, nil), p.frame(true, snapshot.ExtensionType, "1", []item{one}, nil)
	for i := 1; i < len(a.parts); i++ { // all but the head of the response
		if x, y := a.parts[i].ReadOnlyData(), b.parts[i].ReadOnlyData(); &x[0] != &y[0] {
			t.Errorf("part %d is copied", i)
		}
	}
	allocated := testing.AllocsPerRun(100, func() { p.frame(true, snapshot.ExtensionType, "1", []item{one}, nil) })
	if allocated > 12 {
		t.Errorf("%v allocations for a response", allocated)
	}
}

func TestPressForgetsWhatIsGone(t *testing.T) {
	t.Parallel()
	p := newPress(renderForTest)
	kept, gone := content("a", "1"), content("b", "1")
	x, y := cluster("x", "1"), cluster("y", "1")
	for _, one := range []item{{p.inline(kept, ""), "1"}, {p.inline(gone, ""), "1"}, {x, "1"}, {y, "1"}} {
		p.headsOf(one)
	}
	p.keep(map[string]*snapshot.Resources{"g": resources(nil, kept, x)})
	if len(p.contents) != 1 || len(p.heads) != 2 {
		t.Errorf("%d contents, %d heads are kept", len(p.contents), len(p.heads))
	}
}

func TestOtherMessagesGoThroughTheUsualCodec(t *testing.T) {
	t.Parallel()
	message := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: "t", ResourceNamesSubscribe: []string{"a"}}
	buffers, err := newCodec().Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	var got discoveryv3.DeltaDiscoveryRequest
	if err := newCodec().Unmarshal(buffers, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(message, &got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add("name", "version", []byte("body"), "removed", "1")
	f.Add("", "", []byte{}, "", "")
	f.Fuzz(func(t *testing.T, name, version string, body []byte, removed, nonce string) {
		r := &snapshot.Resource{Type: snapshot.RouteType, Name: name, Version: version, Body: body}
		frame := newPress(renderForTest).frame(true, snapshot.RouteType, version, []item{{r, version}}, []string{removed})
		frame.nonce = nonce
		buffers, err := newCodec().Marshal(frame)
		if err != nil {
			t.Fatal(err)
		}
		var got discoveryv3.DeltaDiscoveryResponse
		if err := (proto.UnmarshalOptions{}).Unmarshal(buffers.Materialize(), &got); err != nil {
			t.Skip("not UTF-8") // names come from protobuf strings
		}
		if len(got.GetResources()) != 1 || got.GetResources()[0].GetName() != name || got.GetNonce() != nonce ||
			string(got.GetResources()[0].GetResource().GetValue()) != string(body) || got.GetRemovedResources()[0] != removed {
			t.Errorf("got %v", &got)
		}
	})
}
