package sources

import (
	"crypto/sha256"
	"maps"

	"go.yaml.in/yaml/v3"

	"github.com/graft-xds/graft/snapshot"
)

// Memory holds the good documents of one file as they were last decoded, so that an edit costs what changed and not what
// the file holds. The zero value is ready; it is not for several goroutines at once.
type Memory struct {
	known map[[sha256.Size]byte]remembered
}

// remembered is what one text held when so many lines stood before it.
type remembered struct {
	line      int
	documents []snapshot.Document
}

// eachYAML decodes one document of the stream after the other, and those that are known by heart not at all.
func (d *Decoder) eachYAML(file string, text []byte, o DecodeOptions) (decoded, *failure) {
	var out decoded
	now := map[[sha256.Size]byte]remembered{}
	for _, c := range split(text) {
		sum := sha256.Sum256(c.text)
		if o.Memory != nil {
			if before, ok := o.Memory.known[sum]; ok {
				one := before.at(c.line)
				now[sum] = one
				out.documents = append(out.documents, one.documents...)
				continue
			}
		}
		root, failed := parseYAML(c.text, c.line)
		if failed != nil {
			return decoded{}, failed
		}
		var one decoded
		if root != nil {
			one = d.objects(file, c.line, root, o)
		}
		if len(one.broken) == 0 {
			now[sum] = remembered{line: c.line, documents: one.documents}
		}
		out.add(one)
	}
	if o.Memory != nil {
		o.Memory.known = now
	}
	return out, nil
}

// at gives the same documents with so many lines before them.
func (r remembered) at(line int) remembered {
	moved := line - r.line
	if moved == 0 {
		return r
	}
	out := remembered{line: line}
	for _, d := range r.documents {
		d.Origin.Line += moved
		d.Positions = maps.Clone(d.Positions)
		for field, p := range d.Positions {
			p.Line += moved
			d.Positions[field] = p
		}
		out.documents = append(out.documents, d)
	}
	return out
}

// eachJSON decodes one JSON value after the other.
func (d *Decoder) eachJSON(file string, text []byte, o DecodeOptions) (decoded, *failure) {
	var out decoded
	failed := parseJSON(text, func(root *yaml.Node) { out.add(d.objects(file, 0, root, o)) })
	return out, failed
}
