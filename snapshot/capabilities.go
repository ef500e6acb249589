package snapshot

import (
	"strings"

	wasmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/wasm/v3"
)

// capabilities restricts a module to the host calls in allow; an empty list restricts nothing. Envoy's list also covers
// what the host calls in the module, and WASI, which the runtimes of languages need to start at all and which reaches
// nothing but the log, the clock and the environment that the filter was given. Both are always allowed: a filter that
// lists the calls it makes would do nothing without them, silently.
func capabilities(allow []string) *wasmv3.CapabilityRestrictionConfig {
	if len(allow) == 0 {
		return nil
	}
	allowed := map[string]*wasmv3.SanitizationConfig{}
	for _, name := range strings.Fields(moduleCallbacks + wasiCalls) {
		allowed[name] = &wasmv3.SanitizationConfig{}
	}
	for _, name := range allow {
		allowed[name] = &wasmv3.SanitizationConfig{}
	}
	return &wasmv3.CapabilityRestrictionConfig{AllowedCapabilities: allowed}
}

// Names as in proxy-wasm-cpp-host, src/wasm.cc and include/proxy-wasm/exports.h.
const (
	moduleCallbacks = `
		proxy_validate_configuration proxy_on_vm_start proxy_on_configure proxy_on_tick proxy_on_context_create
		proxy_on_new_connection proxy_on_downstream_data proxy_on_upstream_data
		proxy_on_downstream_connection_close proxy_on_upstream_connection_close
		proxy_on_request_headers proxy_on_request_body proxy_on_request_trailers proxy_on_request_metadata
		proxy_on_response_headers proxy_on_response_body proxy_on_response_trailers proxy_on_response_metadata
		proxy_on_http_call_response proxy_on_grpc_receive proxy_on_grpc_close
		proxy_on_grpc_receive_initial_metadata proxy_on_grpc_receive_trailing_metadata
		proxy_on_queue_ready proxy_on_foreign_function proxy_on_stats_update proxy_on_done proxy_on_log proxy_on_delete`
	wasiCalls = `
		args_get args_sizes_get clock_time_get environ_get environ_sizes_get fd_close fd_fdstat_get
		fd_fdstat_set_flags fd_filestat_get fd_prestat_get fd_prestat_dir_name fd_read fd_seek fd_write path_filestat_get
		path_open poll_oneoff proc_exit random_get sched_yield`
)
