// Package jsonschema tests docs/reference/graft.schema.json as an editor uses it.
package jsonschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

const root = "../../.."

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(root, "docs/reference/graft.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// documents gives what JSON would be of each YAML document.
func documents(t *testing.T, text []byte) []any {
	t.Helper()
	var out []any
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var document any
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		if document == nil {
			continue
		}
		asJSON, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, parsed)
	}
}

func TestAcceptsEveryField(t *testing.T) {
	text, err := os.ReadFile("testdata/all.yaml")
	if err != nil {
		t.Fatal(err)
	}
	schema := compile(t)
	for i, document := range documents(t, text) {
		if err := schema.Validate(document); err != nil {
			t.Errorf("document %d: %v", i+1, err)
		}
	}
}

func TestAcceptsWhatTheProjectShows(t *testing.T) {
	schema, shown := compile(t), 0
	fences := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && path != root):
			return fs.SkipDir
		}
		var texts [][]byte
		switch filepath.Ext(path) {
		case ".yaml", ".md":
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if filepath.Ext(path) == ".yaml" {
				texts = append(texts, text)
			}
			for _, fence := range fences.FindAllSubmatch(text, -1) {
				texts = append(texts, fence[1])
			}
		}
		for _, text := range texts {
			if !regexp.MustCompile(`(?m)^apiVersion: graft\.dev/`).Match(text) {
				continue
			}
			for _, document := range documents(t, text) {
				shown++
				if err := schema.Validate(document); err != nil {
					t.Errorf("%s: %v\n%s", path, err, text)
				}
			}
		}
		return nil
	})
	if err != nil || shown == 0 {
		t.Errorf("%d documents: %v", shown, err)
	}
}

func TestRefuses(t *testing.T) {
	filter := func(spec string) string {
		return "apiVersion: graft.dev/v1alpha1\nkind: Filter\nmetadata: {name: x}\nspec: " + spec
	}
	proxy := func(spec string) string {
		return "apiVersion: graft.dev/v1alpha1\nkind: Proxy\nmetadata: {name: x}\nspec: " + spec
	}
	listener := func(routes string) string {
		return proxy("{listeners: [{name: web, address: '0.0.0.0:1', routes: [" + routes + "]}]}")
	}
	schema := compile(t)
	for name, text := range map[string]string{
		"no kind":                   "apiVersion: graft.dev/v1alpha1\nmetadata: {name: x}\nspec: {lua: {code: x}}",
		"unknown kind":              "apiVersion: graft.dev/v1alpha1\nkind: Filtre\nmetadata: {name: x}\nspec: {}",
		"other version":             "apiVersion: graft.dev/v2\nkind: Filter\nmetadata: {name: x}\nspec: {lua: {code: x}}",
		"no name":                   "apiVersion: graft.dev/v1alpha1\nkind: Filter\nmetadata: {}\nspec: {lua: {code: x}}",
		"no spec":                   "apiVersion: graft.dev/v1alpha1\nkind: Filter\nmetadata: {name: x}",
		"bad name":                  "apiVersion: graft.dev/v1alpha1\nkind: Filter\nmetadata: {name: X}\nspec: {lua: {code: x}}",
		"unknown field":             filter("{wasm: {modul: x}}"),
		"field by its proto name":   filter("{wasm: {module: x, root_id: y}}"),
		"nothing that runs":         filter("{order: {phase: authn}}"),
		"two that run":              filter("{lua: {code: x}, wasm: {module: x}}"),
		"two sources of a script":   filter("{lua: {code: x, file: y}}"),
		"empty script":              filter("{lua: {code: ''}}"),
		"no module":                 filter("{wasm: {config: x}}"),
		"not a digest":              filter("{wasm: {module: x, sha256: ABC}}"),
		"phase in capitals":         filter("{lua: {code: x}, order: {phase: AUTHN}}"),
		"number for a text":         filter("{wasm: {module: 5}}"),
		"text for a number":         filter("{lua: {code: x}, order: {priority: high}}"),
		"one for a list":            filter("{lua: {code: x}, targets: {proxy: edge}}"),
		"port out of range":         filter("{lua: {code: x}, targets: [{ports: [65536]}]}"),
		"the same twice":            filter("{lua: {code: x}, targets: [{routes: [a, a]}]}"),
		"duration without a unit":   filter("{wasm: {module: x, pull: {policy: Every, every: '5'}}}"),
		"duration with a sign":      filter("{wasm: {module: x, pull: {policy: Every, every: -5s}}}"),
		"native without its type":   filter("{native: {max_request_bytes: 1}}"),
		"share above one":           filter("{lua: {code: x}, rollout: {rollbackOn: {errorRate: 2}}}"),
		"label that is no text":     "apiVersion: graft.dev/v1alpha1\nkind: Filter\nmetadata: {name: x, labels: {a: 1}}\nspec: {lua: {code: x}}",
		"a Proxy's field":           filter("{lua: {code: x}, listeners: []}"),
		"a Filter's field":          proxy("{wasm: {module: x}}"),
		"listener without address":  proxy("{listeners: [{name: web}]}"),
		"route without a match":     listener("{cluster: app}"),
		"route without an action":   listener("{prefix: /}"),
		"route with two actions":    listener("{prefix: /, cluster: app, response: {status: 200}}"),
		"route with a relative one": listener("{prefix: api, cluster: app}"),
		"answer without a status":   listener("{prefix: /, response: {body: x}}"),
		"redirect with 200":         listener("{prefix: /, redirect: {status: 200}}"),
		"too many slots":            proxy("{listeners: [{name: web, address: '0.0.0.0:1', slots: 65}]}"),
	} {
		for _, document := range documents(t, []byte(text)) {
			if err := schema.Validate(document); err == nil {
				t.Errorf("%s: accepted\n%s", name, text)
			}
		}
	}
}

// An editor shows the innermost complaint: it has to be about the field that is wrong.
func TestComplaintIsAboutTheField(t *testing.T) {
	err := compile(t).Validate(documents(t, []byte(
		"apiVersion: graft.dev/v1alpha1\nkind: Filter\nmetadata: {name: x}\nspec: {wasm: {module: x, delivery: post}}"))[0])
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	for len(invalid.Causes) > 0 {
		if len(invalid.Causes) > 1 {
			t.Fatalf("more than one complaint: %v", err)
		}
		invalid = invalid.Causes[0]
	}
	if got := strings.Join(invalid.InstanceLocation, "."); got != "spec.wasm.delivery" {
		t.Errorf("about %s: %v", got, err)
	}
}
