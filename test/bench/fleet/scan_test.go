package fleet

import (
	"bytes"
	"hash/crc32"
	"math/rand/v2"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

// pieces is a source that hands its bytes out in pieces of odd sizes, as a connection does.
type pieces struct{ *bytes.Reader }

func (p pieces) pass(n int64, each func([]byte)) error {
	for n > 0 {
		piece := make([]byte, min(n, 1+rand.Int64N(7)))
		got, err := p.Read(piece)
		if err != nil {
			return err
		}
		each(piece[:got])
		n -= int64(got)
	}
	return nil
}

func marshalled(t testing.TB, m proto.Message) []byte {
	t.Helper()
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func slot(t testing.TB, name string, body int) *anypb.Any {
	t.Helper()
	return &anypb.Any{TypeUrl: extensionType, Value: marshalled(t, &corev3.TypedExtensionConfig{
		Name: name, TypedConfig: &anypb.Any{TypeUrl: "x", Value: bytes.Repeat([]byte{0xff, 7}, body/2)},
	})}
}

func said(t testing.TB, name, version string, body *anypb.Any) resource {
	t.Helper()
	raw := marshalled(t, body)
	return resource{name: name, version: version, size: int64(len(raw)), sum: crc32.Checksum(raw, castagnoli)}
}

func TestScanDelta(t *testing.T) {
	web, api := slot(t, "graft/web", 100_000), slot(t, "graft/api", 0)
	raw := marshalled(t, &discoveryv3.DeltaDiscoveryResponse{
		SystemVersionInfo: "7", TypeUrl: extensionType, Nonce: "n",
		Resources: []*discoveryv3.Resource{
			{Name: "graft/web", Version: "a", Resource: web, Aliases: []string{"other"}, Ttl: durationpb.New(1e9)},
			{Name: "graft/api", Version: "b", Resource: api},
		},
		RemovedResources:     []string{"graft/old"},
		RemovedResourceNames: []*discoveryv3.ResourceName{{Name: "graft/old"}},
	})
	got, err := (&scanner{in: pieces{bytes.NewReader(raw)}, sums: true}).delta(int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	want := response{
		version: "7", typeURL: extensionType, nonce: "n", size: int64(len(raw)),
		resources: []resource{said(t, "graft/web", "a", web), said(t, "graft/api", "b", api)},
		removed:   []string{"graft/old"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(response{}, resource{})); diff != "" {
		t.Error(diff)
	}
}

func TestScanSotW(t *testing.T) {
	web := slot(t, "graft/web", 100_000)
	raw := marshalled(t, &discoveryv3.DiscoveryResponse{
		VersionInfo: "7", TypeUrl: extensionType, Nonce: "n", Canary: true, Resources: []*anypb.Any{web},
		ControlPlane: &corev3.ControlPlane{Identifier: "someone"},
	})
	got, err := (&scanner{in: pieces{bytes.NewReader(raw)}, sums: true}).sotw(int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	want := response{
		version: "7", typeURL: extensionType, nonce: "n", size: int64(len(raw)),
		resources: []resource{said(t, "graft/web", "", web)},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(response{}, resource{})); diff != "" {
		t.Error(diff)
	}
}

func TestScanRefusesWhatIsNoMessage(t *testing.T) {
	for name, raw := range map[string][]byte{
		"field longer than the message":    {0x0a, 0x05, 'a'},
		"number longer than the message":   {0x08, 0x80, 0x80},
		"group":                            {0x0b},
		"varint without end":               {0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"nested field longer than its own": {0x12, 0x02, 0x0a, 0x05, 'a', 'b', 'c', 'd', 'e'},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := (&scanner{in: pieces{bytes.NewReader(raw)}}).delta(int64(len(raw))); err == nil {
				t.Errorf("scanned %+v", got)
			}
		})
	}
}

// FuzzScan holds the scanner against the real decoder: what it says of a message that has no repeated single fields is true,
// and it never reads past the end of one.
func FuzzScan(f *testing.F) {
	f.Add(marshalled(f, &discoveryv3.DeltaDiscoveryResponse{
		Nonce: "n", Resources: []*discoveryv3.Resource{{Name: "a", Version: "1", Resource: slot(f, "a", 10)}},
	}))
	f.Add([]byte{0x2a, 0x00})
	f.Fuzz(func(t *testing.T, raw []byte) {
		in := bytes.NewReader(append(bytes.Clone(raw), "the next message"...))
		got, err := (&scanner{in: pieces{in}}).delta(int64(len(raw)))
		if err != nil {
			return
		}
		if left := in.Len(); left != len("the next message") {
			t.Fatalf("%d bytes left of the next message", left)
		}
		var message discoveryv3.DeltaDiscoveryResponse
		if proto.Unmarshal(raw, &message) != nil {
			return
		}
		if got.nonce != message.Nonce || len(got.resources) != len(message.Resources) || len(got.removed) != len(message.RemovedResources) {
			t.Errorf("scanned %+v of %v", got, &message)
		}
	})
}
