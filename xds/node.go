package xds

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/graft-xds/graft/snapshot"
)

// Extensions that decide what a proxy can be sent, by the names that Envoy lists in node.extensions.
const (
	filterChainExtension = "envoy.filters.http.filter_chain"
	wasmExtension        = "envoy.wasm.runtime.v8"
)

// readNode keeps what graft needs of a node; the message of an Envoy is 61 kB, most of it the list of its extensions.
func readNode(n *corev3.Node) snapshot.Node {
	node := snapshot.Node{ID: n.GetId(), Cluster: n.GetCluster(), Labels: labels(n.GetMetadata())}
	node.Traits.Extensions = len(n.GetExtensions()) > 0
	for _, extension := range n.GetExtensions() {
		switch extension.GetName() {
		case filterChainExtension:
			node.Traits.FilterChain = true
		case wasmExtension:
			node.Traits.Wasm = true
		}
	}
	if n.GetMetadata().GetFields()["graft"].GetStructValue().GetFields()["slots"].GetStringValue() == "declared" {
		node.Traits.FilterChain = false // asked for: graft bootstrap --slots declared
	}
	if v := n.GetUserAgentBuildVersion().GetVersion(); v != nil {
		node.Traits.Version = fmt.Sprintf("%d.%d.%d", v.GetMajorNumber(), v.GetMinorNumber(), v.GetPatch())
	} else {
		node.Traits.Version = n.GetUserAgentVersion()
	}
	return node
}

// labels reads metadata "labels", or "LABELS" as Istio's agent spells it.
func labels(metadata *structpb.Struct) map[string]string {
	for _, key := range []string{"labels", "LABELS"} {
		fields := metadata.GetFields()[key].GetStructValue().GetFields()
		if len(fields) == 0 {
			continue
		}
		out := make(map[string]string, len(fields))
		for name, value := range fields {
			if text, ok := value.GetKind().(*structpb.Value_StringValue); ok {
				out[name] = text.StringValue
			}
		}
		return out
	}
	return nil
}

// tokenOf names a node in the URLs of modules without telling its id to whoever reads them.
func tokenOf(nodeID string) string {
	sum := sha256.Sum256([]byte(nodeID))
	return hex.EncodeToString(sum[:8])
}
