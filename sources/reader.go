package sources

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/graft-xds/graft/snapshot"
)

// maxProblems is how many problems of one document are reported.
const maxProblems = 50

// reader walks over the nodes of one object and remembers where everything stands and what is wrong with it.
type reader struct {
	file      string
	line      int // lines of the file before the text that the nodes count from
	object    string
	top       snapshot.Position // where the object begins
	types     *protoregistry.Types
	positions map[string]snapshot.Position
	problems  []snapshot.Problem
	wrong     []string // paths that a problem was found at, or that were likely meant by an unknown name
}

// at says where a node stands in the file.
func (r *reader) at(n *yaml.Node) snapshot.Position {
	return snapshot.Position{Line: n.Line + r.line, Column: n.Column}
}

// complain reports a problem at a node.
func (r *reader) complain(n *yaml.Node, path string, code snapshot.Code, what, hint string) {
	r.report(r.at(n), path, code, what, hint)
}

func (r *reader) report(at snapshot.Position, path string, code snapshot.Code, what, hint string) {
	r.wrong = append(r.wrong, path)
	if len(r.problems) > maxProblems {
		return
	}
	if len(r.problems) == maxProblems {
		at, path, what, hint = r.top, "", "there are more problems in this document", "mend the others first"
	}
	r.problems = append(r.problems, snapshot.Problem{
		Origin: snapshot.Origin{File: r.file, Line: at.Line, Column: at.Column, Object: r.object, Field: path},
		Code:   code, What: what, Hint: hint,
	})
}

// give turns the problems into Broken objects, in the order in which they stand in the file.
func (r *reader) give(key snapshot.Key) decoded {
	slices.SortStableFunc(r.problems, func(a, b snapshot.Problem) int { return compareOrigins(a.Origin, b.Origin) })
	var out decoded
	for _, p := range r.problems {
		out.broken = append(out.broken, snapshot.Broken{Key: key, Problem: p})
	}
	return out
}

// entry is one `name: value` of a mapping.
type entry struct {
	key, value *yaml.Node
	name, path string
}

// entries gives what a mapping holds, merged mappings (`<<`) included, and complains about names that stand twice.
func (r *reader) entries(n *yaml.Node, path string) []entry {
	var out []entry
	var merged []*yaml.Node
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!null":
			r.complain(key, path, CodeWrongType, "the name of a field must be text, found "+found(key), "")
			continue
		case key.Tag == "!!merge":
			merged = append(merged, value)
			continue
		}
		name := key.Value
		if before, ok := first[name]; ok {
			r.complain(key, join(path, name), CodeDuplicateKey, fmt.Sprintf("%q stands twice in this mapping", name),
				fmt.Sprintf("it stands first in line %d; remove one of them", r.at(before).Line))
			continue
		}
		first[name] = key
		out = append(out, entry{key: key, value: value, name: name, path: join(path, name)})
	}
	for _, m := range merged {
		out = r.merge(out, first, m, path)
	}
	return out
}

// merge adds what the value of `<<` holds and the mapping itself does not.
func (r *reader) merge(out []entry, first map[string]*yaml.Node, n *yaml.Node, path string) []entry {
	switch n.Kind {
	case yaml.MappingNode:
		for _, e := range r.entries(n, path) {
			if _, ok := first[e.name]; !ok {
				first[e.name] = e.key
				out = append(out, e)
			}
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			if item.Kind != yaml.MappingNode {
				r.complain(item, path, CodeWrongType, "<< takes mappings, found "+found(item), "")
				continue
			}
			out = r.merge(out, first, item, path)
		}
	default:
		r.complain(n, path, CodeWrongType, "<< takes a mapping, found "+found(n), "")
	}
	return out
}

// remember notes where a field stands.
func (r *reader) remember(path string, n *yaml.Node) {
	if r.positions != nil {
		r.positions[path] = r.at(n)
	}
}

// join adds a name to a path: `metadata.labels.app`, `metadata.labels["app.kubernetes.io/name"]`.
func join(path, name string) string {
	if !plainName(name) {
		return path + "[" + strconv.Quote(name) + "]"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func plainName(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-@") == "" &&
		!strings.ContainsAny(name, ".[]")
}

// found names what stands at a node.
func found(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
	default:
		return "nothing"
	}
	text := n.Value
	if r := []rune(text); len(r) > 40 {
		text = string(r[:40]) + "…"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!bool":
		return text
	case "!!int", "!!float":
		return "the number " + text
	}
	return fmt.Sprintf("the text %q", text)
}

// empty tells whether nothing was written as the value of a field, or null.
func empty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}
