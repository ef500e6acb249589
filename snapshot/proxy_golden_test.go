package snapshot

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"
	"google.golang.org/protobuf/encoding/protojson"
)

// TestProxyGolden holds what the builders make of Proxy documents: testdata/proxy/<case>.txtar has in.yaml, perhaps the
// files that it names, and xds.yaml. Where the case's name begins with "declared" the proxies have declared slots.
func TestProxyGolden(t *testing.T) {
	for _, c := range proxyCases(t) {
		t.Run(c.name, func(t *testing.T) {
			var got strings.Builder
			for _, r := range c.resources {
				if err := validate(unpack(t, r)); err != nil {
					t.Errorf("%s %s: Envoy would refuse it: %v", r.Type, r.Name, err)
				}
				got.WriteString(resourceYAML(t, r))
			}
			if *update {
				writeArchive(t, c.path, c.archive, "xds.yaml", got.String())
			} else if diff := gocmp.Diff(c.want, got.String()); diff != "" {
				t.Errorf("xds (-want +got):\n%s", diff)
			}
		})
	}
}

// proxyCase is a case of testdata/proxy, built.
type proxyCase struct {
	name, path, want string
	archive          *txtar.Archive
	resources        []*Resource // sorted by type and name
}

func proxyCases(t *testing.T) []proxyCase {
	t.Helper()
	paths, err := filepath.Glob("testdata/proxy/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	cases := make([]proxyCase, 0, len(paths))
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c := proxyCase{name: strings.TrimSuffix(filepath.Base(path), ".txtar"), path: path, archive: archive}
		in, files := "", map[string]File{}
		for _, f := range archive.Files {
			switch f.Name {
			case "in.yaml":
				in = string(f.Data)
			case "xds.yaml":
				c.want = string(f.Data)
			default:
				files[f.Name] = File{Data: f.Data, Stamp: "1"}
			}
		}
		config, problems := Parse(parsedYAML(t, path, in, files), nil, nil)
		if len(problems) > 0 {
			t.Fatal(problemText(problems))
		}
		for _, p := range config.Proxies {
			c.resources = append(c.resources, proxyResources(p, strings.HasPrefix(c.name, "declared"))...)
		}
		cases = append(cases, c)
	}
	return cases
}

// proxyResources builds all that a Proxy gives by itself, its slots named but empty.
func proxyResources(p *Proxy, declared bool) []*Resource {
	var out []*Resource
	for _, l := range p.Spec.GetListeners() {
		slots := []hcmSlot{{Name: SlotPrefix + l.GetName()}}
		if declared {
			slots = nil
			for i := range int(l.GetSlots()) {
				slots = append(slots, hcmSlot{Name: declaredName(SlotPrefix+l.GetName(), i+1, int(l.GetSlots())), Declared: true})
			}
		}
		out = append(out, listenerResource(p, l, slots), routeResource(p, l, nil, nil))
	}
	out = append(out, clusterResources(p)...)
	out = append(out, endpointResources(p)...)
	out = append(out, secretResources(p)...)
	for _, whole := range wholeResources(p.Spec) {
		out = append(out, newResource(whole.name, whole.message))
	}
	slices.SortFunc(out, func(a, b *Resource) int { return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name)) })
	return out
}

// resourceYAML writes a resource with its fields sorted, headed by its type and name.
func resourceYAML(t testing.TB, r *Resource) string {
	t.Helper()
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(unpack(t, r))
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "--- # %s %s\n", kindOf(r.Type), r.Name)
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(shortTypes(value)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// shortTypes leaves the prefix of type URLs out of what people read, and writes whole numbers as such.
func shortTypes(v any) any {
	switch is := v.(type) {
	case map[string]any:
		for name := range is {
			is[name] = shortTypes(is[name])
		}
	case []any:
		for i := range is {
			is[i] = shortTypes(is[i])
		}
	case string:
		return strings.TrimPrefix(is, typePrefix)
	case float64:
		if whole := int64(is); float64(whole) == is {
			return whole
		}
	}
	return v
}
