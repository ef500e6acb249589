package sources

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

const (
	maxDepth   = 100     // levels of nesting, as in Envoy's own parser
	maxAliased = 100_000 // values that the aliases of one document stand for
	tooDeep    = "nested deeper than 100 levels"
)

// expand puts what they stand for in the place of aliases, so that nobody behind it need know them. It refuses aliases
// that hold themselves or stand for too much, and nesting that is too deep.
func (r *reader) expand(root *yaml.Node) bool {
	e := expansion{reader: r, known: map[*yaml.Node]extent{}}
	_, ok := e.node(root, 0)
	return ok
}

type expansion struct {
	*reader
	known  map[*yaml.Node]extent // of nodes with an anchor; open while they are being read
	copied int
}

// extent is how large a node is, its aliases included.
type extent struct {
	values, depth int
	open          bool
}

func (e *expansion) node(n *yaml.Node, depth int) (extent, bool) {
	if depth > maxDepth {
		return extent{}, e.refuse(n, tooDeep, "")
	}
	all := extent{values: 1}
	if n.Anchor != "" {
		e.known[n] = extent{open: true}
	}
	for i, child := range n.Content {
		var one extent
		var ok bool
		if child.Kind == yaml.AliasNode {
			if one, ok = e.alias(child, depth+1); ok {
				n.Content[i] = child.Alias
			}
		} else {
			one, ok = e.node(child, depth+1)
		}
		if !ok {
			return extent{}, false
		}
		all.values += one.values
		all.depth = max(all.depth, one.depth+1)
	}
	if n.Anchor != "" {
		e.known[n] = all
	}
	return all, true
}

func (e *expansion) alias(n *yaml.Node, depth int) (extent, bool) {
	one := e.known[n.Alias]
	e.copied += one.values
	switch {
	case one.open:
		return one, e.refuse(n, fmt.Sprintf("the alias *%s stands inside what it stands for", n.Value), "")
	case depth+one.depth > maxDepth:
		return one, e.refuse(n, tooDeep, "")
	case e.copied > maxAliased:
		return one, e.refuse(n, fmt.Sprintf("the aliases of this document stand for more than %d values", maxAliased), "write out what is meant, or split the document")
	}
	return one, true
}

func (e *expansion) refuse(n *yaml.Node, what, hint string) bool {
	e.complain(n, "", CodeInvalid, what, hint)
	return false
}
