package snapshot

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/graft-xds/graft/test/envoytest"
)

// envoys are the Envoys to ask, by minor version.
func envoys(t *testing.T) map[string]string {
	t.Helper()
	if testing.Short() {
		t.Skip("a real Envoy takes its time")
	}
	found := map[string]string{}
	for version := range envoytest.Versions() {
		found[version] = envoytest.Binary(t, version)
	}
	return found
}

// TestEnvoyAccepts asks real Envoys whether they take what the builders make.
func TestEnvoyAccepts(t *testing.T) {
	for version, envoy := range envoys(t) {
		for _, c := range proxyCases(t) {
			if version < "1.39" && !strings.HasPrefix(c.name, "declared") && c.name != "clusters" {
				continue // no chain slots
			}
			t.Run(version+"/"+c.name, func(t *testing.T) {
				text, err := protojson.Marshal(staticBootstrap(t, c.resources))
				if err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(t.TempDir(), "bootstrap.json")
				if err := os.WriteFile(path, text, 0o600); err != nil {
					t.Fatal(err)
				}
				out, err := exec.CommandContext(t.Context(), envoy, "--mode", "validate", "-l", "warn", "-c", path).CombinedOutput()
				if err != nil {
					t.Errorf("%v\n%s", err, out)
				}
				for line := range strings.Lines(string(out)) {
					if strings.Contains(line, "eprecated") {
						t.Error(line)
					}
				}
			})
		}
	}
}

// staticBootstrap puts resources where Envoy looks at them without asking anybody: routes into a listener of their own,
// endpoints into a cluster of their own.
func staticBootstrap(t *testing.T, resources []*Resource) *bootstrapv3.Bootstrap {
	t.Helper()
	static := &bootstrapv3.Bootstrap_StaticResources{Clusters: []*clusterv3.Cluster{staticCluster("xds", nil)}}
	for _, r := range resources {
		switch m := unpack(t, r).(type) {
		case *listenerv3.Listener:
			static.Listeners = append(static.Listeners, m)
		case *routev3.RouteConfiguration:
			static.Listeners = append(static.Listeners, routeListener(m))
		case *clusterv3.Cluster:
			static.Clusters = append(static.Clusters, m)
		case *endpointv3.ClusterLoadAssignment:
			static.Clusters = append(static.Clusters, staticCluster("endpoints of "+m.GetClusterName(), m))
		case *tlsv3.Secret:
			static.Secrets = append(static.Secrets, m)
		}
	}
	return &bootstrapv3.Bootstrap{
		Node: &corev3.Node{Id: "test", Cluster: "test"},
		DynamicResources: &bootstrapv3.Bootstrap_DynamicResources{AdsConfig: &corev3.ApiConfigSource{
			ApiType: corev3.ApiConfigSource_DELTA_GRPC, TransportApiVersion: corev3.ApiVersion_V3,
			GrpcServices: []*corev3.GrpcService{{TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{
				EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: "xds"},
			}}},
		}},
		StaticResources: static,
	}
}

func staticCluster(name string, endpoints *endpointv3.ClusterLoadAssignment) *clusterv3.Cluster {
	cluster := &clusterv3.Cluster{
		Name: name, ConnectTimeout: durationpb.New(time.Second), LoadAssignment: endpoints,
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC},
	}
	if endpoints == nil {
		cluster.LoadAssignment = loadAssignment(name, nil)
	}
	return cluster
}

func routeListener(routes *routev3.RouteConfiguration) *listenerv3.Listener {
	return &listenerv3.Listener{
		Name:    "routes of " + routes.GetName(),
		Address: tcpAddress("127.0.0.1", 1),
		FilterChains: []*listenerv3.FilterChain{{Filters: []*listenerv3.Filter{{
			Name: "envoy.filters.network.http_connection_manager",
			ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: anyOf(&hcmv3.HttpConnectionManager{
				StatPrefix:     "routes",
				RouteSpecifier: &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: routes},
				HttpFilters: []*hcmv3.HttpFilter{{
					Name: "router", ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: anyOf(&routerv3.Router{})},
				}},
			})},
		}}}},
	}
}

// TestEnvoyFilterTypes compares the tables with what real Envoys say of themselves: native takes all that the newest has,
// declared slots take nothing that any of them misses.
func TestEnvoyFilterTypes(t *testing.T) {
	for version, envoy := range envoys(t) {
		t.Run(version, func(t *testing.T) {
			has := filterTypesOf(t, envoy)
			for _, name := range declaredTypes() {
				if !slices.Contains(has, name) {
					t.Errorf("a declared slot takes %s, which Envoy %s does not know", name, version)
				}
			}
			if version != "1.40" {
				return
			}
			for _, name := range has {
				if !slices.Contains(httpFilterTypes(), name) && !strings.Contains(name, "PerRoute") && !slices.Contains(notFilters(), name) {
					t.Errorf("native does not take %s", name)
				}
			}
		})
	}
}

// notFilters are listed by Envoy with the HTTP filters, and configure a route or end a chain.
func notFilters() []string {
	const http = "envoy.extensions.filters.http."
	return []string{
		http + "cors.v3.CorsPolicy", http + "mcp.v3.McpOverride",
		http + "rate_limit_quota.v3.RateLimitQuotaOverride", http + "router.v3.Router",
	}
}

// filterTypesOf starts an Envoy and reads the HTTP filters that its node lists.
func filterTypesOf(t *testing.T, envoy string) []string {
	t.Helper()
	dir := t.TempDir()
	config, address := filepath.Join(dir, "bootstrap.json"), filepath.Join(dir, "admin")
	bootstrap := `{"admin":{"address":{"socket_address":{"address":"127.0.0.1","port_value":0}}}}`
	if err := os.WriteFile(config, []byte(bootstrap), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), envoy, "-c", config, "--admin-address-path", address, "--disable-hot-restart", "-l", "off", "--concurrency", "1")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	var dump struct {
		Configs []struct {
			Bootstrap struct {
				Node struct {
					Extensions []struct {
						Category string   `json:"category"`
						TypeURLs []string `json:"type_urls"`
					} `json:"extensions"`
				} `json:"node"`
			} `json:"bootstrap"`
		} `json:"configs"`
	}
	deadline, tick := time.After(20*time.Second), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for len(dump.Configs) == 0 {
		select {
		case <-deadline:
			t.Fatal("no answer from Envoy's admin port")
		case <-tick.C:
		}
		if at, err := os.ReadFile(address); err == nil {
			_ = json.Unmarshal(adminPage(t, string(at), "/config_dump"), &dump)
		}
	}
	var names []string
	for _, extension := range dump.Configs[0].Bootstrap.Node.Extensions {
		if extension.Category == "envoy.filters.http" {
			names = append(names, extension.TypeURLs...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// adminPage gives what Envoy's admin port answers, nothing while it does not.
func adminPage(t *testing.T, address, path string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return nil // the file with the address is not whole yet
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil
	}
	return body
}
