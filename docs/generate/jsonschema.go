package main

import (
	"bytes"
	"encoding/json"
)

// durationPattern is what graft reads as a duration: numbers with units.
const durationPattern = `^([0-9]+(\.[0-9]+)?(h|m|s|ms|us|ns))+$`

// jsonSchema is written in draft 7, the newest that every YAML language server knows.
func jsonSchema(s *schema) ([]byte, error) {
	var kinds []any
	var cases []object
	for _, kind := range s.Kinds {
		kinds = append(kinds, kind.Name)
		cases = append(cases, object{
			{"if", object{{"properties", object{{"kind", object{{"const", kind.Name}}}}}}},
			{"then", reference(kind)},
		})
	}
	written := map[*message]bool{}
	for _, kind := range s.Kinds {
		reach(kind, written)
	}
	var definitions object
	for _, m := range s.Messages {
		if written[m] {
			definitions = append(definitions, member{m.Name, definition(m)})
		}
	}
	// The kind decides which form the rest must have. Said with "if", an editor complains about the field that is wrong;
	// said with "oneOf", that nothing fits.
	text, err := encode(object{
		{"$schema", "http://json-schema.org/draft-07/schema#"},
		{"title", "graft"},
		{"description", "Documents that graft reads, of graft.dev/v1alpha1. Generated: see docs/generate."},
		{"type", "object"},
		{"required", []string{"apiVersion", "kind"}},
		{"properties", object{{"kind", object{{"enum", kinds}}}}},
		{"allOf", cases},
		{"definitions", definitions},
	})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// reach marks the messages that people write; a status is not among them.
func reach(m *message, written map[*message]bool) {
	if written[m] {
		return
	}
	written[m] = true
	for _, f := range m.Fields {
		if f.Message != nil && !f.Written {
			reach(f.Message, written)
		}
	}
}

func reference(m *message) object { return object{{"$ref", "#/definitions/" + m.Name}} }

func definition(m *message) object {
	var properties object
	var required []string
	for _, f := range m.Fields {
		properties = append(properties, member{f.Name, property(f)})
		if f.Required {
			required = append(required, f.Name)
		}
	}
	out := object{{"description", m.Comment}, {"type", "object"}, {"additionalProperties", false}}
	if required != nil {
		out = append(out, member{"required", required})
	}
	out = append(out, member{"properties", properties})
	var choices []object
	for _, c := range m.Choices {
		choices = append(choices, object{{"oneOf", alternatives(c)}})
	}
	if choices != nil {
		out = append(out, member{"allOf", choices})
	}
	return out
}

// alternatives gives one schema for each member that may stand alone, and one for none where none is needed.
func alternatives(c *choice) []object {
	var out []object
	for _, f := range c.Fields {
		out = append(out, object{{"required", []string{f.Name}}})
	}
	if !c.Required {
		out = append(out, object{{"not", object{{"anyOf", out}}}})
	}
	return out
}

func property(f *field) object {
	out := object{{"description", f.Comment}}
	switch {
	case f.Written: // whatever a newer graft wrote there is no fault of the author
		out = append(out, member{"type", "object"})
	case f.Map:
		out = append(out, member{"type", "object"})
		out = append(out, member{"additionalProperties", value(f)})
	case f.List:
		out = append(out, member{"type", "array"})
		items := value(f)
		items = append(items, keywords(f.Items)...)
		out = append(out, member{"items", items})
	default:
		out = append(out, value(f)...)
	}
	return append(out, keywords(f.Rules)...)
}

func value(f *field) object {
	switch f.Shape {
	case shapeBool:
		return object{{"type", "boolean"}}
	case shapeInteger:
		return object{{"type", "integer"}}
	case shapeNumber:
		return object{{"type", "number"}}
	case shapeDuration:
		return object{{"type", "string"}, {"pattern", durationPattern}}
	case shapeTime:
		return object{{"type", "string"}, {"format", "date-time"}}
	case shapeObject:
		return object{{"type", "object"}}
	case shapeAny:
		return object{
			{"type", "object"},
			{"required", []string{"@type"}},
			{"properties", object{{"@type", object{{"type", "string"}, {"pattern", `^type\.googleapis\.com/.+`}}}}},
		}
	case shapeJSON:
		return object{}
	case shapeMessage:
		return object{{"allOf", []object{reference(f.Message)}}} // beside a bare $ref, draft 7 reads nothing else
	default:
		return object{{"type", "string"}}
	}
}

func keywords(rules []rule) object {
	var out object
	for _, r := range rules {
		if r.Keyword != "" {
			out = append(out, member{r.Keyword, r.Value})
		}
	}
	return out
}
