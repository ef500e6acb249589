package snapshot

import (
	"slices"
	"strconv"
	"strings"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	httpwasmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/wasm/v3"
	wasmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/wasm/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	wasmRuntime        = "envoy.wasm.runtime.v8"
	moduleFetchTimeout = 30 * time.Second
	reloadBackoff      = time.Second      // before a trapped VM is made anew; Envoy's own default, said so that it stays
	defaultInlineLimit = int64(256 << 10) // bytes of a module that `delivery: auto` sends inline
)

// wasmFilter renders a Wasm filter. Where the module comes from depends on its delivery and on the variant.
func wasmFilter(f *form, v Variant, o Options) *httpwasmv3.Wasm {
	w := f.filter.Wasm
	plugin := &wasmv3.PluginConfig{
		Name:          innerName(f.filter.Key),
		RootId:        w.RootID,
		FailurePolicy: failurePolicy(w.OnFailure),
		Vm:            &wasmv3.PluginConfig_VmConfig{VmConfig: vmConfig(f, v, o)},
		// Deprecated in 1.40 for the same field of vm_config, but the only one that older Envoys know.
		CapabilityRestrictionConfig: capabilities(w.Allow),
	}
	if len(w.Config) > 0 {
		plugin.Configuration = anyOf(wrapperspb.String(string(w.Config)))
	}
	if plugin.FailurePolicy == wasmv3.FailurePolicy_FAIL_RELOAD {
		plugin.ReloadConfig = &wasmv3.ReloadConfig{
			Backoff: &corev3.BackoffStrategy{BaseInterval: durationpb.New(reloadBackoff)},
		}
	}
	return &httpwasmv3.Wasm{Config: plugin}
}

// failurePolicy is reload unless said otherwise: the only policy that heals by itself and that counts.
func failurePolicy(onFailure string) wasmv3.FailurePolicy {
	switch onFailure {
	case "closed":
		return wasmv3.FailurePolicy_FAIL_CLOSED
	case "open":
		return wasmv3.FailurePolicy_FAIL_OPEN
	default:
		return wasmv3.FailurePolicy_FAIL_RELOAD
	}
}

func vmConfig(f *form, v Variant, o Options) *wasmv3.VmConfig {
	w := f.filter.Wasm
	vm := &wasmv3.VmConfig{VmId: vmID(f.filter, f.module), Runtime: wasmRuntime, Code: moduleCode(f, v, o)}
	// Without the flag Envoy ACKs code that it does not have and lets requests pass by the filter.
	vm.NackOnCodeCacheMiss = vm.Code.GetRemote() != nil
	if len(w.Env) > 0 || len(w.EnvFromHost) > 0 {
		vm.EnvironmentVariables = &wasmv3.EnvironmentVariables{KeyValues: w.Env, HostEnvKeys: w.EnvFromHost}
	}
	return vm
}

// moduleCode is where Envoy gets the module from: a file of the store, graft's module server, or the message itself.
func moduleCode(f *form, v Variant, o Options) *corev3.AsyncDataSource {
	switch {
	case f.fromFile():
		return localCode(&corev3.DataSource{Specifier: &corev3.DataSource_Filename{Filename: f.module.Path}})
	case v.Remote && f.fetched(o):
		return &corev3.AsyncDataSource{Specifier: &corev3.AsyncDataSource_Remote{Remote: &corev3.RemoteDataSource{
			HttpUri: &corev3.HttpUri{
				Uri:              moduleURL(f.module.Digest, v.Token, o),
				HttpUpstreamType: &corev3.HttpUri_Cluster{Cluster: ModulesCluster},
				Timeout:          durationpb.New(moduleFetchTimeout),
			},
			Sha256: strings.TrimPrefix(f.module.Digest, digestPrefix),
		}}}
	default:
		return localCode(&corev3.DataSource{Specifier: &corev3.DataSource_InlineBytes{InlineBytes: f.module.Bytes}})
	}
}

func localCode(source *corev3.DataSource) *corev3.AsyncDataSource {
	return &corev3.AsyncDataSource{Specifier: &corev3.AsyncDataSource_Local{Local: source}}
}

func (f *form) fromFile() bool {
	return f.module != nil && f.filter.Wasm.Delivery == "file" && f.module.Path != ""
}

// fetched tells whether a remote rendering has proxies fetch the module.
func (f *form) fetched(o Options) bool {
	if f.module == nil || o.ModuleHost == "" {
		return false
	}
	limit := o.InlineLimit
	if limit == 0 {
		limit = defaultInlineLimit
	}
	switch f.filter.Wasm.Delivery {
	case "http":
		return true
	case "inline", "file":
		return false
	default:
		return int64(len(f.module.Bytes)) > limit
	}
}

func moduleURL(digest, token string, o Options) string {
	host := o.ModuleHost
	if strings.Contains(host, ":") { // an IPv6 address
		host = "[" + host + "]"
	}
	url := "http://" + host + ":" + strconv.FormatUint(uint64(o.ModulePort), 10) +
		"/modules/" + strings.TrimPrefix(digest, digestPrefix) + ".wasm"
	if token != "" {
		url += "?proxy=" + token
	}
	return url
}

// vmID decides which filters die together when one traps: by default each filter and content has a VM of its own. V8
// shares the compiled code between them.
func vmID(f *Filter, m *Module) string {
	if f.Wasm.VMID != "" {
		return f.Wasm.VMID
	}
	return innerName(f.Key) + "@" + hash([]byte(vmHash(f.Wasm, m)), f.Wasm.Config)[:16]
}

// vmHash is a hash of all that makes one VM unlike another.
func vmHash(w *Wasm, m *Module) string {
	parts := [][]byte{[]byte(m.Digest), []byte(wasmRuntime), []byte(strconv.Itoa(len(w.Env)))}
	for _, name := range sortedKeys(w.Env) {
		parts = append(parts, []byte(name), []byte(w.Env[name]))
	}
	for _, list := range [][]string{w.EnvFromHost, w.Allow} {
		parts = append(parts, []byte(strconv.Itoa(len(list))))
		for _, item := range slices.Sorted(slices.Values(list)) {
			parts = append(parts, []byte(item))
		}
	}
	return hash(parts...)
}

// withVMAttempt makes the bytes of a Wasm filter unique where no stamp goes ahead of it.
func withVMAttempt(packed *anypb.Any, attempt string) *anypb.Any {
	filter := &httpwasmv3.Wasm{}
	if err := packed.UnmarshalTo(filter); err != nil || filter.GetConfig().GetVmConfig() == nil {
		return packed
	}
	filter.Config.GetVmConfig().VmId += "#" + attempt
	return anyOf(filter)
}
