package sources

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/graft-xds/graft/snapshot"
)

const (
	apiVersion = "graft.dev/v1alpha1"
	kindFilter = "Filter"
	kindProxy  = "Proxy"
)

// head is what says which object a document is about.
type head struct {
	kind string // kindFilter or kindProxy, unless list
	key  snapshot.Key
	list bool
}

// head reads apiVersion, kind, name and namespace. It fails if the document is none that graft reads; the key is known
// even then, where what was meant is beyond doubt.
func (r *reader) head(root *yaml.Node) (head, bool) {
	r.top = r.at(root)
	if root.Kind != yaml.MappingNode {
		r.complain(root, "", CodeWrongType, "expected a mapping with apiVersion, kind, metadata and spec, found "+found(root), "")
		return head{}, false
	}
	version, atVersion := textOf(root, "apiVersion")
	kind, atKind := textOf(root, "kind")
	if strings.HasSuffix(kind, "List") && has(root, "items") {
		return head{list: true}, true
	}
	h := head{kind: kind}
	if !ours(kind) {
		h.kind = nearest(kind, []string{kindFilter, kindProxy})
	}
	if h.kind != "" {
		h.key = r.key(root, h.kind)
	}
	switch {
	case foreign(version, kind):
		r.complain(atKind, "kind", CodeUnknownKind, fmt.Sprintf("%s (%s) is not supported yet", kind, version), "write it as a Filter of "+apiVersion)
		return head{}, false
	case !ours(kind) && version != "" && kind != "" && !strings.HasPrefix(version, "graft.dev"):
		r.complain(atKind, "kind", CodeUnknownKind, fmt.Sprintf("%s (%s) is no kind that graft reads", kind, version), "graft reads Filter and Proxy of "+apiVersion)
		return head{}, false
	}
	r.checkKind(root, kind, atKind)
	r.checkVersion(root, version, atVersion)
	return h, len(r.problems) == 0
}

func (r *reader) checkKind(root *yaml.Node, kind string, at *yaml.Node) {
	switch {
	case ours(kind):
	case at == nil:
		r.complain(root, "kind", CodeMissing, "no kind", "write kind: Filter or kind: Proxy")
	case kind == "":
		r.complain(at, "kind", CodeWrongType, "expected Filter or Proxy, found "+found(at), "")
	default:
		r.complain(at, "kind", CodeUnknownKind, fmt.Sprintf("unknown kind %q", kind), didYouMean(kind, []string{kindFilter, kindProxy}))
	}
}

func (r *reader) checkVersion(root *yaml.Node, version string, at *yaml.Node) {
	switch {
	case version == apiVersion:
	case at == nil:
		r.complain(root, "apiVersion", CodeMissing, "no apiVersion", "write apiVersion: "+apiVersion)
	case version == "":
		r.complain(at, "apiVersion", CodeWrongType, "expected "+apiVersion+", found "+found(at), "")
	default:
		r.complain(at, "apiVersion", CodeUnknownKind, fmt.Sprintf("unknown apiVersion %q", version), "write apiVersion: "+apiVersion)
	}
}

// key gives the name of the object, or a zero Key if it cannot be told for certain: then the last forms of all objects
// of the file stay, rather than that a slip in a name takes a filter out of force.
func (r *reader) key(root *yaml.Node, kind string) snapshot.Key {
	metadata := valueOf(root, "metadata")
	if metadata == nil {
		return snapshot.Key{}
	}
	name, _ := textOf(metadata, "name")
	namespace, at := textOf(metadata, "namespace")
	if at == nil || empty(at) {
		namespace = "default"
	}
	if !objectName(name) || !objectName(namespace) {
		return snapshot.Key{}
	}
	return snapshot.Key{Kind: kind, Namespace: namespace, Name: name}
}

// items gives the objects of a List.
func (r *reader) items(root *yaml.Node) []*yaml.Node {
	items := valueOf(root, "items")
	if items.Kind != yaml.SequenceNode {
		if !empty(items) {
			r.complain(items, "items", CodeWrongType, "expected a list, found "+found(items), "")
		}
		return nil
	}
	return items.Content
}

func ours(kind string) bool { return kind == kindFilter || kind == kindProxy }

// foreign tells whether the kind is one that other tools have for the same thing.
func foreign(version, kind string) bool {
	group, _, _ := strings.Cut(version, "/")
	return slices.Contains([]string{"wasme.io/FilterDeployment", "extensions.istio.io/WasmPlugin", "extensions.istio.io/TrafficExtension"}, group+"/"+kind)
}

// objectName tells whether a name may be one of an object; the rules of the schema say the same in more words.
func objectName(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == "" && strings.Trim(name, "-.") == name
}

// valueOf gives the value of a name in a mapping, or nil.
func valueOf(n *yaml.Node, name string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Kind == yaml.ScalarNode && n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

func has(n *yaml.Node, name string) bool { return valueOf(n, name) != nil }

// textOf gives the text of a name in a mapping, and where it stands, or nil.
func textOf(n *yaml.Node, name string) (string, *yaml.Node) {
	v := valueOf(n, name)
	if v == nil || v.Kind != yaml.ScalarNode || v.ShortTag() != "!!str" {
		return "", v
	}
	return v.Value, v
}
