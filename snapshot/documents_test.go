package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"buf.build/go/protoyaml"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// parsedYAML reads a YAML stream as a source would, with the position of each field. Package sources has the strict
// decoder; it cannot be used here, for it imports this package.
func parsedYAML(t testing.TB, file, text string, files map[string]File) []Document {
	t.Helper()
	docs, err := readDocuments(file, text, files)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return docs
}

func readDocuments(file, text string, files map[string]File) ([]Document, error) {
	var docs []Document
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var root yaml.Node
		if err := decoder.Decode(&root); errors.Is(err, io.EOF) {
			return docs, nil
		} else if err != nil {
			return nil, err
		}
		if root.Kind != yaml.DocumentNode || root.Content[0].Kind != yaml.MappingNode {
			continue
		}
		doc, err := readDocument(file, root.Content[0])
		if err != nil {
			return nil, err
		}
		doc.Files = files
		docs = append(docs, doc)
	}
}

func readDocument(file string, root *yaml.Node) (Document, error) {
	doc := Document{Positions: map[string]Position{}}
	locate(root, "", doc.Positions)
	var text bytes.Buffer
	if err := yaml.NewEncoder(&text).Encode(root); err != nil {
		return doc, err
	}
	var kind struct{ Kind string }
	if err := root.Decode(&kind); err != nil {
		return doc, err
	}
	var message interface {
		proto.Message
		GetMetadata() *graftv1alpha1.ObjectMeta
	}
	switch kind.Kind {
	case kindFilter:
		doc.Filter = &graftv1alpha1.Filter{}
		message = doc.Filter
	case kindProxy:
		doc.Proxy = &graftv1alpha1.Proxy{}
		message = doc.Proxy
	default:
		return doc, fmt.Errorf("kind %q", kind.Kind)
	}
	if err := (protoyaml.UnmarshalOptions{}).Unmarshal(text.Bytes(), message); err != nil {
		return doc, err
	}
	meta := message.GetMetadata()
	doc.Key = Key{Kind: kind.Kind, Namespace: orDefault(meta.GetNamespace(), "default"), Name: meta.GetName()}
	doc.Origin = Origin{File: file, Line: root.Line, Column: root.Column, Object: doc.Key.String()}
	return doc, nil
}

func locate(n *yaml.Node, path string, into map[string]Position) {
	if path != "" {
		into[path] = Position{Line: n.Line, Column: n.Column}
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			locate(n.Content[i+1], strings.TrimPrefix(path+"."+n.Content[i].Value, "."), into)
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			locate(item, fmt.Sprintf("%s[%d]", path, i), into)
		}
	}
}

// filterYAML and proxyYAML save the tests the lines that every document has.
func filterYAML(name, spec string) string { return object(kindFilter, name, spec) }
func proxyYAML(name, spec string) string  { return object(kindProxy, name, spec) }

func object(kind, name, spec string) string {
	return "---\napiVersion: graft.dev/v1alpha1\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec:\n  " +
		strings.ReplaceAll(strings.TrimSpace(spec), "\n", "\n  ") + "\n"
}

// problemText is a problem as a person sees it.
func problemText(problems []Problem) string {
	var out strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&out, "%s [%s]\n", p.Error(), p.Code)
		if p.Hint != "" {
			fmt.Fprintf(&out, "  %s\n", p.Hint)
		}
	}
	return out.String()
}
