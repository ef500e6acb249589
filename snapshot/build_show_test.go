package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

func (w *world) status() string {
	var out strings.Builder
	for _, s := range w.result.Statuses {
		fmt.Fprintf(&out, "%s: ", innerName(s.Key))
		switch s.InForce {
		case "":
			out.WriteString("not in force")
		case s.Hash:
			out.WriteString("in force")
		default:
			out.WriteString("an older form in force")
		}
		if s.Module != nil {
			fmt.Fprintf(&out, ", %s", s.Module.Digest[:19])
		}
		if s.Waiting {
			out.WriteString(", waiting")
		}
		out.WriteByte('\n')
		for _, text := range s.Problems {
			fmt.Fprintf(&out, "  %s\n", strings.ReplaceAll(text, "\n", "\n    "))
		}
	}
	return out.String()
}

// xds shows what each group gets: its slots whole, of the other resources the names and what the slots put into routes.
func (w *world) xds() string {
	type shown struct {
		Slots     map[string]any    `yaml:"slots"`
		Routes    map[string]any    `yaml:"routes,omitempty"`
		Resources map[string]string `yaml:"resources,omitempty"`
	}
	out := map[string]shown{}
	for i, group := range w.groups {
		resources := w.result.Groups[group.Key]
		s := shown{Slots: map[string]any{}, Routes: map[string]any{}, Resources: map[string]string{}}
		for name, content := range resources.Slots {
			s.Slots[name] = w.content(i, content)
		}
		for of, list := range resources.Types {
			var names []string
			for _, r := range list {
				names = append(names, r.Name)
				if of == RouteType {
					if routes := w.perRoute(r); len(routes) > 0 {
						s.Routes[r.Name] = routes
					}
				}
			}
			s.Resources[kindOf(of)] = strings.Join(names, " ")
		}
		out[w.nodesY[i].Name] = s
	}
	var text strings.Builder
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(out); err != nil {
		w.t.Fatal(err)
	}
	return text.String()
}

func (w *world) content(group int, c *Content) any {
	if w.before != nil {
		for _, key := range []string{w.groups[group].Key, w.groups[group].Previous} {
			if before := w.before.Groups[key]; before != nil && before.Slots[c.Slot] == c {
				return "unchanged"
			}
		}
	}
	var m corev3.TypedExtensionConfig
	if err := proto.Unmarshal(c.Render(Variant{}).Body, &m); err != nil {
		w.t.Fatal(err)
	}
	shown := w.json(m.GetTypedConfig())
	if c.Provisional {
		shown["provisional"] = true
	}
	if len(c.Fetches) > 0 {
		shown["fetches"] = len(c.Fetches)
	}
	return shown
}

func (w *world) perRoute(r *Resource) map[string]any {
	var m routev3.RouteConfiguration
	if err := proto.Unmarshal(r.Body, &m); err != nil {
		w.t.Fatal(err)
	}
	out := map[string]any{}
	for _, host := range m.GetVirtualHosts() {
		for slot, config := range host.GetTypedPerFilterConfig() {
			out[host.GetName()+" "+slot] = w.json(config)
		}
		for _, route := range host.GetRoutes() {
			for slot, config := range route.GetTypedPerFilterConfig() {
				out[host.GetName()+" "+route.GetName()+" "+slot] = w.json(config)
			}
		}
	}
	return out
}

func (w *world) json(m proto.Message) map[string]any {
	text, err := protojson.Marshal(m)
	if err != nil {
		w.t.Fatal(err)
	}
	shown := map[string]any{}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&shown); err != nil {
		w.t.Fatal(err)
	}
	return shorten(shown).(map[string]any)
}

// shorten writes digests for modules, and short types.
func shorten(v any) any {
	switch is := v.(type) {
	case map[string]any:
		for name, value := range is {
			text, _ := value.(string)
			switch name {
			case "inlineBytes":
				body, _ := base64.StdEncoding.DecodeString(text)
				is[name] = fmt.Sprintf("%d bytes, %s", len(body), fmt.Sprintf("sha256:%x", sha256.Sum256(body))[:19])
			case "@type":
				is[name] = text[strings.LastIndexByte(text, '.')+1:]
			case "allowedCapabilities":
				allowed := value.(map[string]any)
				for _, always := range strings.Fields(moduleCallbacks + wasiCalls) {
					delete(allowed, always)
				}
			case "metadata":
				is[name] = value.([]any)[0].(map[string]any)["value"]
			default:
				is[name] = shorten(value)
			}
		}
	case []any:
		for i := range is {
			is[i] = shorten(is[i])
		}
	}
	return v
}
