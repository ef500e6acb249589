package plane

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/graft-xds/graft/snapshot"
)

// longText is how many bytes of base64 are printed as they are; longer ones are named by size and digest.
const longText = 256

// Text prints resources as YAML documents, one for each resource: clusters, endpoints, listeners, routes and secrets, then
// the content of each slot as a first contact gets it. Modules are named by size and digest; private keys and all else that
// Envoy's API calls sensitive is left out. The same resources give the same text.
func Text(r *snapshot.Resources) (string, error) {
	var all []*snapshot.Resource
	for _, typ := range []string{
		snapshot.ClusterType, snapshot.EndpointType, snapshot.ListenerType, snapshot.RouteType, snapshot.SecretType,
	} {
		all = append(all, r.Types[typ]...)
	}
	names := make([]string, 0, len(r.Slots))
	for name := range r.Slots {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		all = append(all, r.Slots[name].Render(snapshot.Variant{}))
	}
	var out strings.Builder
	for _, resource := range all {
		text, err := resourceText(resource)
		if err != nil {
			return "", fmt.Errorf("print %s %q: %w", resource.Type, resource.Name, err)
		}
		fmt.Fprintf(&out, "---\n# %s %s\n%s", kindOf(resource.Type), resource.Name, text)
	}
	return out.String(), nil
}

// kindOf gives "Listener" for the type URL of a listener.
func kindOf(typeURL string) string { return typeURL[strings.LastIndexByte(typeURL, '.')+1:] }

// resourceText goes by way of JSON, whose spelling of a message is defined; the text of protojson itself is not stable.
func resourceText(r *snapshot.Resource) (string, error) {
	message, err := (&anypb.Any{TypeUrl: r.Type, Value: r.Body}).UnmarshalNew()
	if err != nil {
		return "", err
	}
	if err := hide(message.ProtoReflect()); err != nil {
		return "", err
	}
	data, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(message)
	if err != nil {
		return "", err
	}
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return "", err
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(readable(tree, "")); err != nil {
		return "", err
	}
	return out.String(), nil
}

// readable shortens what nobody reads.
func readable(value any, key string) any {
	switch v := value.(type) {
	case map[string]any:
		for k, inner := range v {
			v[k] = readable(inner, k)
		}
	case []any:
		for i, inner := range v {
			v[i] = readable(inner, key)
		}
	case json.Number:
		var n yaml.Node
		n.SetString(v.String())
		n.Tag, n.Style = "", 0
		return &n
	case string:
		if v == hiddenBytes {
			return hidden
		}
		if key == "inline_bytes" && len(v) > longText {
			if data, err := base64.StdEncoding.DecodeString(v); err == nil {
				return fmt.Sprintf("(%d bytes, sha256:%x)", len(data), sha256.Sum256(data))
			}
		}
	}
	return value
}
