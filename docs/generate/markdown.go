package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

const preamble = `# What a document may say

<!-- Generated from proto/graft/v1alpha1 by "make generate": edit the comments there. -->

Every field of the documents that graft reads, from files and, in the same words, from an API server. A file holds one document
or several, as YAML (` + "`---`" + ` between them) or JSON. A field that is not listed here is an error, never ignored.

` + "```yaml" + `
apiVersion: graft.dev/v1alpha1
kind: Filter
metadata: {name: melon}
spec:
  wasm:
    module: ./melon.wasm
    config: {header: hello, value: melon}
` + "```" + `

For completion and checks while you type, give [graft.schema.json](graft.schema.json) to your editor. The YAML language server
(VS Code, Neovim, …) takes its path or address from a first line like this:

` + "```yaml" + `
# yaml-language-server: $schema=../docs/reference/graft.schema.json
` + "```" + `

| Value | How it is written |
| --- | --- |
| duration | numbers with units: ` + "`250ms`, `5s`, `1m30s`" + ` |
| Envoy message | a message of Envoy's API in its JSON form, with ` + "`\"@type\": type.googleapis.com/…`" + ` and that message's own fields |
| any value | whatever YAML can say: text, a number, a list, a mapping |
`

// markdown writes one section a message: the kinds, each followed by what it is made of.
func markdown(s *schema) []byte {
	var out bytes.Buffer
	out.WriteString(preamble)
	for _, m := range s.Messages {
		level := "###"
		if slices.Contains(s.Kinds, m) {
			level = "##"
		}
		fmt.Fprintf(&out, "\n%s %s\n\n%s\n\n| Field | Value | Allowed | What it is |\n| --- | --- | --- | --- |\n", level, m.Name, m.Comment)
		for _, f := range m.Fields {
			fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", f.Name, typeOf(f), cell(allowed(f)), cell(f.Comment))
		}
	}
	return out.Bytes()
}

func typeOf(f *field) string {
	one := string(f.Shape)
	if f.Message != nil {
		one = fmt.Sprintf("[%s](#%s)", f.Message.Name, strings.ToLower(f.Message.Name))
	}
	switch {
	case f.List:
		return "list of " + one
	case f.Map:
		return "mapping of text to " + one
	default:
		return one
	}
}

func allowed(f *field) string {
	var out []string
	switch {
	case f.Required:
		out = append(out, "**required**")
	case f.Choice != nil:
		out = append(out, choiceWords(f))
	}
	for _, r := range f.Rules {
		if !f.Required || r.Words != "not empty" {
			out = append(out, r.Words)
		}
	}
	for _, r := range f.Items {
		out = append(out, "items: "+r.Words)
	}
	return strings.Join(out, "; ")
}

func choiceWords(f *field) string {
	var others []string
	for _, other := range f.Choice.Fields {
		if other != f {
			others = append(others, "`"+other.Name+"`")
		}
	}
	if f.Choice.Required {
		return "**required**: this or " + strings.Join(others, " or ")
	}
	return "not beside " + strings.Join(others, ", ")
}

// cell keeps a text within its cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
