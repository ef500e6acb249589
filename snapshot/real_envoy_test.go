package snapshot

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/graft-xds/graft/test/envoytest"
)

// fed is a real Envoy that reads what Build gave from files, without graft: every config source of a resource is the file
// that the resource is in.
type fed struct {
	*envoytest.Envoy
	t   *testing.T
	dir string
}

// feed starts an Envoy of a version with the resources of a group.
func feed(t *testing.T, version string, r *Resources) *fed {
	t.Helper()
	if testing.Short() {
		t.Skip("a real Envoy takes its time")
	}
	f := &fed{t: t, dir: t.TempDir()}
	f.write(r)
	f.Envoy = envoytest.Start(t, envoytest.Options{
		Binary: envoytest.Binary(t, version),
		Bootstrap: fmt.Sprintf(`
node: {id: fed, cluster: fed}
dynamic_resources:
  lds_config: {path_config_source: {path: %q}}
  cds_config: {path_config_source: {path: %q}}
`, f.file(ListenerType, ""), f.file(ClusterType, "")),
	})
	return f
}

// write writes the files of all resources, those that others name first.
func (f *fed) write(r *Resources) {
	for _, of := range []string{EndpointType, SecretType, RouteType} {
		for _, resource := range r.Types[of] {
			f.put(f.file(of, resource.Name), of, resource.Version, resource)
		}
	}
	for _, content := range r.Slots {
		f.slot(content)
	}
	for _, of := range []string{ClusterType, ListenerType} {
		f.put(f.file(of, ""), of, "", r.Types[of]...)
	}
}

// slot writes the file of a slot.
func (f *fed) slot(c *Content) {
	resource := c.Render(Variant{})
	f.put(f.file(ExtensionType, c.Slot), ExtensionType, resource.Version, resource)
}

func (f *fed) file(of, name string) string {
	of = of[strings.LastIndexByte(of, '.')+1:]
	return filepath.Join(f.dir, of+"-"+strings.ReplaceAll(name, "/", "_")+".pb")
}

// put replaces a file whole, as Envoy's file subscriptions expect it.
func (f *fed) put(path, of, version string, resources ...*Resource) {
	f.t.Helper()
	response := &discoveryv3.DiscoveryResponse{VersionInfo: version, TypeUrl: of}
	for _, r := range resources {
		m := unpack(f.t, r)
		f.sources(m.ProtoReflect())
		response.Resources = append(response.Resources, anyOf(m))
	}
	body, err := proto.Marshal(response)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", body, 0o644); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		f.t.Fatal(err)
	}
}

// sources replaces ADS by files in a message, inside of every Any too.
func (f *fed) sources(m protoreflect.Message) {
	switch is := m.Interface().(type) {
	case *anypb.Any:
		if inner, err := is.UnmarshalNew(); err == nil {
			f.sources(inner.ProtoReflect())
			is.Value = marshal(inner)
		}
		return
	case *clusterv3.Cluster:
		if eds := is.GetEdsClusterConfig(); eds != nil {
			f.source(eds.GetEdsConfig(), EndpointType, is.GetName())
		}
	}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap() && field.MapValue().Message() != nil:
			value.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
				f.sources(v.Message())
				return true
			})
		case field.IsList() && field.Message() != nil:
			for i := range value.List().Len() {
				f.sources(value.List().Get(i).Message())
			}
		case !field.IsMap() && field.Message() != nil:
			f.sources(value.Message())
		}
		return true
	})
	f.named(m.Interface())
}

// named replaces the config sources that stand beside the name of a resource.
func (f *fed) named(m proto.Message) {
	switch is := m.(type) {
	case interface {
		GetRouteConfigName() string
		GetConfigSource() *corev3.ConfigSource
	}:
		f.source(is.GetConfigSource(), RouteType, is.GetRouteConfigName())
	case interface {
		GetName() string
		GetConfigDiscovery() *corev3.ExtensionConfigSource
	}:
		if is.GetConfigDiscovery() != nil {
			f.source(is.GetConfigDiscovery().GetConfigSource(), ExtensionType, is.GetName())
		}
	case interface {
		GetName() string
		GetSdsConfig() *corev3.ConfigSource
	}:
		f.source(is.GetSdsConfig(), SecretType, is.GetName())
	}
}

func (f *fed) source(s *corev3.ConfigSource, of, name string) {
	if s.GetAds() != nil {
		s.ConfigSourceSpecifier = &corev3.ConfigSource_PathConfigSource{
			PathConfigSource: &corev3.PathConfigSource{Path: f.file(of, name)},
		}
	}
}

// get sends one request and gives the status, and the values of a header of the answer in order.
func (f *fed) get(port int, path, header string) (status int, values string) {
	f.t.Helper()
	response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d%s", port, path))
	if err != nil {
		f.t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		f.t.Fatal(err)
	}
	return response.StatusCode, strings.Join(response.Header.Values(header), " ")
}
