package snapshot

import (
	"bytes"
	"fmt"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	bufferv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/buffer/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"
)

func manyKeys(t *testing.T) *structpb.Struct {
	t.Helper()
	fields := map[string]any{}
	for i := range 50 {
		fields[fmt.Sprint(i)] = i
	}
	s, err := structpb.NewStruct(fields)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMarshalIsDeterministic(t *testing.T) {
	want := marshal(manyKeys(t))
	for range 100 {
		if !bytes.Equal(marshal(manyKeys(t)), want) {
			t.Fatal("other bytes for the same message")
		}
	}
}

// TestCanonical packs a map into an Any, that into another, and that into a map: in any order of bytes, one canonical form.
func TestCanonical(t *testing.T) {
	scrambled := func() proto.Message {
		inner, err := proto.Marshal(manyKeys(t)) // in any order
		if err != nil {
			t.Fatal(err)
		}
		extension, err := proto.Marshal(&corev3.TypedExtensionConfig{
			Name: "inner", TypedConfig: &anypb.Any{TypeUrl: typeURL(&structpb.Struct{}), Value: inner},
		})
		if err != nil {
			t.Fatal(err)
		}
		return &corev3.Metadata{TypedFilterMetadata: map[string]*anypb.Any{
			"outer": {TypeUrl: typeURL(&corev3.TypedExtensionConfig{}), Value: extension},
		}}
	}
	var want []byte
	for range 50 {
		m, err := canonical(scrambled())
		if err != nil {
			t.Fatal(err)
		}
		if got := marshal(m); want == nil {
			want = got
		} else if !bytes.Equal(got, want) {
			t.Fatal("other bytes for the same message")
		}
	}
	unknown := &corev3.TypedExtensionConfig{TypedConfig: &anypb.Any{TypeUrl: typePrefix + "no.Such"}}
	if _, err := canonical(unknown); err == nil {
		t.Error("an unknown type passes")
	}
}

// TestValidate looks below the surface, as Envoy does.
func TestValidate(t *testing.T) {
	bad := &corev3.Metadata{TypedFilterMetadata: map[string]*anypb.Any{
		"outer": anyOf(&corev3.TypedExtensionConfig{Name: "inner", TypedConfig: anyOf(&bufferv3.Buffer{})}),
	}}
	if err := validate(bad); err == nil || err.Error() != "invalid Buffer.MaxRequestBytes: value is required and must not be nil" {
		t.Errorf("got %v", err)
	}
}

func TestHash(t *testing.T) {
	seen := map[string]int{}
	for i, parts := range [][][]byte{
		nil, {nil}, {nil, nil}, {[]byte("a")}, {[]byte("ab")}, {[]byte("a"), []byte("b")}, {[]byte("b"), []byte("a")}, {nil, []byte("ab")},
	} {
		h := hash(parts...)
		if was, ok := seen[h]; ok || len(h) != 32 {
			t.Errorf("parts %d and %d: %s", i, was, h)
		}
		seen[h] = i
	}
}
