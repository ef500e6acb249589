package sources

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/graft-xds/graft/snapshot"
)

// parseJSON parses one JSON value of the text after the other. A YAML parser would do for most JSON, but not for all of it
// (surrogate pairs in escapes), and its complaints would be about YAML.
func parseJSON(text []byte, do func(root *yaml.Node)) *failure {
	j := &jsonParser{text: text, decoder: json.NewDecoder(bytes.NewReader(text)), at: snapshot.Position{Line: 1, Column: 1}}
	j.decoder.UseNumber()
	for !j.atEnd() {
		root, err := j.value(0)
		if err != nil {
			return j.failure(err)
		}
		if root.Tag != "!!null" {
			do(root)
		}
	}
	return nil
}

type jsonParser struct {
	text    []byte
	decoder *json.Decoder
	seen    int               // offset up to which positions are counted
	at      snapshot.Position // of that offset
}

var errTooDeep = errors.New("too deep")

// value parses one value into the form that the YAML parser gives.
func (j *jsonParser) value(depth int) (*yaml.Node, error) {
	at := j.place(j.next())
	token, err := j.decoder.Token()
	if err != nil {
		return nil, err
	}
	node := &yaml.Node{Kind: yaml.ScalarNode, Line: at.Line, Column: at.Column}
	switch token := token.(type) {
	case json.Delim:
		if depth >= maxDepth {
			return nil, errTooDeep
		}
		return node, j.content(node, token, depth)
	case string:
		node.Tag, node.Value, node.Style = "!!str", token, yaml.DoubleQuotedStyle
	case json.Number:
		node.Tag, node.Value = "!!int", token.String()
		if strings.ContainsAny(node.Value, ".eE") {
			node.Tag = "!!float"
		}
	case bool:
		node.Tag, node.Value = "!!bool", fmt.Sprint(token)
	default:
		node.Tag, node.Value = "!!null", "null"
	}
	return node, nil
}

// content parses what stands between the brackets.
func (j *jsonParser) content(node *yaml.Node, open json.Delim, depth int) error {
	node.Kind, node.Tag, node.Style = yaml.MappingNode, "!!map", yaml.FlowStyle
	if open == '[' {
		node.Kind, node.Tag = yaml.SequenceNode, "!!seq"
	}
	for j.decoder.More() {
		child, err := j.value(depth + 1)
		if err != nil {
			return err
		}
		node.Content = append(node.Content, child)
	}
	_, err := j.decoder.Token()
	return err
}

// next gives the offset at which the next token begins.
func (j *jsonParser) next() int {
	offset := int(j.decoder.InputOffset())
	for offset < len(j.text) && bytes.IndexByte([]byte(" \t\r\n,:"), j.text[offset]) >= 0 {
		offset++
	}
	return offset
}

// place turns an offset that is not before the last one asked for into a position.
func (j *jsonParser) place(offset int) snapshot.Position {
	for _, c := range string(j.text[j.seen:offset]) {
		if c == '\n' {
			j.at.Line++
			j.at.Column = 0
		}
		j.at.Column++
	}
	j.seen = offset
	return j.at
}

func (j *jsonParser) atEnd() bool { return j.next() == len(j.text) }

func (j *jsonParser) failure(err error) *failure {
	failed := &failure{at: j.place(j.next()), code: CodeSyntax, what: strings.TrimPrefix(err.Error(), "json: ")}
	var bad *json.SyntaxError
	switch {
	case errors.Is(err, errTooDeep):
		failed.code, failed.what, failed.hint = CodeInvalid, tooDeep, ""
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		failed.at, failed.what, failed.hint = positionOf(j.text, len(j.text)), "the text ends too early", "close every bracket and quote"
	case errors.As(err, &bad):
		failed.at = positionOf(j.text, max(j.next(), int(bad.Offset)-1))
		failed.hint = "JSON needs double quotes around names and text, and no comma after the last item"
	}
	return failed
}
