package fleet

import (
	"fmt"
	"maps"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

const extensionType = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"

// node is what a proxy tells of itself: enough for a control plane to see an Envoy 1.40 that takes chains.
func node(id, cluster string) *corev3.Node {
	return &corev3.Node{
		Id:            id,
		Cluster:       cluster,
		UserAgentName: "envoy",
		UserAgentVersionType: &corev3.Node_UserAgentBuildVersion{UserAgentBuildVersion: &corev3.BuildVersion{
			Version: &typev3.SemanticVersion{MajorNumber: 1, MinorNumber: 40},
		}},
		Extensions: []*corev3.Extension{
			extension("envoy.filters.http", "envoy.filters.http.filter_chain"),
			extension("envoy.filters.http", "envoy.filters.http.wasm"),
			extension("envoy.filters.http", "envoy.filters.http.lua"),
			extension("envoy.filters.http", "envoy.filters.http.set_metadata"),
			extension("envoy.wasm.runtime", "envoy.wasm.runtime.v8"),
		},
	}
}

func extension(category, name string) *corev3.Extension {
	return &corev3.Extension{Category: category, Name: name}
}

// dialect is the wire protocol of a proxy: what it asks, and how it reads and answers a response.
type dialect interface {
	method() string
	subscribe(node *corev3.Node, names []string, have map[string]string) proto.Message
	read(in *scanner, size int64) (response, error)
	accept(got response, have map[string]string) proto.Message // ACK; enters what came into have
	refuse(got response, have map[string]string) proto.Message // NACK
}

func dialectOf(protocol string, names []string) (dialect, error) {
	switch protocol {
	case "", "delta":
		return delta{}, nil
	case "sotw":
		return sotw{names: names}, nil
	}
	return nil, fmt.Errorf("unknown protocol %q", protocol)
}

func refusal() *status.Status {
	return &status.Status{Code: int32(codes.InvalidArgument), Message: "Unable to create Wasm plugin"}
}

type delta struct{}

func (delta) method() string { return deltaMethod }

func (delta) subscribe(node *corev3.Node, names []string, have map[string]string) proto.Message {
	return &discoveryv3.DeltaDiscoveryRequest{
		Node: node, TypeUrl: extensionType,
		ResourceNamesSubscribe: names, InitialResourceVersions: maps.Clone(have),
	}
}

func (delta) read(in *scanner, size int64) (response, error) { return in.delta(size) }

func (delta) accept(got response, have map[string]string) proto.Message {
	for _, r := range got.resources {
		have[r.name] = r.version
	}
	for _, name := range got.removed {
		delete(have, name)
	}
	return &discoveryv3.DeltaDiscoveryRequest{TypeUrl: got.typeURL, ResponseNonce: got.nonce}
}

func (delta) refuse(got response, _ map[string]string) proto.Message {
	return &discoveryv3.DeltaDiscoveryRequest{TypeUrl: got.typeURL, ResponseNonce: got.nonce, ErrorDetail: refusal()}
}

// sotw knows one version for all resources of a type; it is kept under each of their names.
type sotw struct{ names []string }

func (sotw) method() string { return sotwMethod }

func (p sotw) subscribe(node *corev3.Node, names []string, have map[string]string) proto.Message {
	return &discoveryv3.DiscoveryRequest{Node: node, TypeUrl: extensionType, ResourceNames: names, VersionInfo: p.version(have)}
}

func (p sotw) version(have map[string]string) string {
	for _, name := range p.names {
		if version, ok := have[name]; ok {
			return version
		}
	}
	return ""
}

func (sotw) read(in *scanner, size int64) (response, error) { return in.sotw(size) }

func (p sotw) accept(got response, have map[string]string) proto.Message {
	for _, name := range p.names {
		have[name] = got.version
	}
	return &discoveryv3.DiscoveryRequest{
		TypeUrl: got.typeURL, ResourceNames: p.names, VersionInfo: got.version, ResponseNonce: got.nonce,
	}
}

func (p sotw) refuse(got response, have map[string]string) proto.Message {
	return &discoveryv3.DiscoveryRequest{
		TypeUrl: got.typeURL, ResourceNames: p.names, VersionInfo: p.version(have), ResponseNonce: got.nonce, ErrorDetail: refusal(),
	}
}
