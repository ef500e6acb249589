package xds

import (
	"fmt"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/graft-xds/graft/snapshot"
)

func buildVersion(major, minor, patch uint32) *corev3.Node_UserAgentBuildVersion {
	return &corev3.Node_UserAgentBuildVersion{UserAgentBuildVersion: &corev3.BuildVersion{
		Version: &typev3.SemanticVersion{MajorNumber: major, MinorNumber: minor, Patch: patch},
	}}
}

func TestReadNode(t *testing.T) {
	t.Parallel()
	extensions := func(names ...string) []*corev3.Extension {
		var all []*corev3.Extension
		for _, name := range names {
			all = append(all, &corev3.Extension{Name: name})
		}
		return all
	}
	many := extensions(filterChainExtension, wasmExtension)
	for i := range 500 {
		many = append(many, &corev3.Extension{Name: fmt.Sprint("envoy.", i)})
	}
	metadata := func(key string, values map[string]any) *structpb.Struct {
		s, err := structpb.NewStruct(map[string]any{key: values, "other": 1})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, test := range []struct {
		name string
		node *corev3.Node
		want snapshot.Node
	}{
		{"nothing", nil, snapshot.Node{}},
		{"Envoy 1.40", &corev3.Node{Id: "a", Cluster: "edge", Extensions: many, UserAgentVersionType: buildVersion(1, 40, 0)}, snapshot.Node{
			ID: "a", Cluster: "edge", Traits: snapshot.Traits{FilterChain: true, Wasm: true, Extensions: true, Version: "1.40.0"},
		}},
		{"without V8", &corev3.Node{Extensions: extensions("envoy.wasm.runtime.null")}, snapshot.Node{Traits: snapshot.Traits{Extensions: true}}},
		{
			"grpc-go", &corev3.Node{UserAgentVersionType: &corev3.Node_UserAgentVersion{UserAgentVersion: "1.85.0"}},
			snapshot.Node{Traits: snapshot.Traits{Version: "1.85.0"}},
		},
		{"labels", &corev3.Node{Metadata: metadata("labels", map[string]any{"app": "web", "n": 1})}, snapshot.Node{
			Labels: map[string]string{"app": "web"},
		}},
		{"Istio's labels", &corev3.Node{Metadata: metadata("LABELS", map[string]any{"app": "web"})}, snapshot.Node{
			Labels: map[string]string{"app": "web"},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, readNode(test.node)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
