package module

import (
	"slices"
	"strings"
)

// call is a function that Envoy offers to modules.
type call struct {
	Type Signature
	only []string // the ABIs that have it; empty: all
}

func (c call) in(abi string) bool { return len(c.only) == 0 || slices.Contains(c.only, abi) }

// hostCall finds the function that an import means. Source: exports.h and wasm.cc (registerCallbacks) of
// proxy-wasm-cpp-host as Envoy 1.40 has it.
func hostCall(i Import) (call, bool) {
	switch i.Module {
	case "env":
		c, ok := envCalls[i.Name]
		return c, ok
	case "wasi_snapshot_preview1", "wasi_unstable":
		t, ok := wasiCalls[i.Name]
		return call{Type: t}, ok
	}
	return call{}, false
}

// words is the signature of a function that takes n words and returns one.
func words(n int) Signature {
	return Signature("(" + strings.TrimSuffix(strings.Repeat("i32 ", n), " ") + ") -> i32")
}

// nothing is words without the result.
func nothing(n int) Signature {
	return Signature(strings.TrimSuffix(string(words(n)), "i32") + "()")
}

var envCalls = map[string]call{
	"proxy_log":                          {Type: words(3)},
	"proxy_get_status":                   {Type: words(3)},
	"proxy_get_property":                 {Type: words(4)},
	"proxy_set_property":                 {Type: words(4)},
	"proxy_send_local_response":          {Type: words(8)},
	"proxy_get_shared_data":              {Type: words(5)},
	"proxy_set_shared_data":              {Type: words(5)},
	"proxy_register_shared_queue":        {Type: words(3)},
	"proxy_resolve_shared_queue":         {Type: words(5)},
	"proxy_dequeue_shared_queue":         {Type: words(3)},
	"proxy_enqueue_shared_queue":         {Type: words(3)},
	"proxy_get_header_map_value":         {Type: words(5)},
	"proxy_add_header_map_value":         {Type: words(5)},
	"proxy_replace_header_map_value":     {Type: words(5)},
	"proxy_remove_header_map_value":      {Type: words(3)},
	"proxy_get_header_map_pairs":         {Type: words(3)},
	"proxy_set_header_map_pairs":         {Type: words(3)},
	"proxy_get_header_map_size":          {Type: words(2)},
	"proxy_get_buffer_status":            {Type: words(3)},
	"proxy_get_buffer_bytes":             {Type: words(5)},
	"proxy_set_buffer_bytes":             {Type: words(5)},
	"proxy_http_call":                    {Type: words(10)},
	"proxy_grpc_call":                    {Type: words(12)},
	"proxy_grpc_stream":                  {Type: words(9)},
	"proxy_grpc_close":                   {Type: words(1)},
	"proxy_grpc_cancel":                  {Type: words(1)},
	"proxy_grpc_send":                    {Type: words(4)},
	"proxy_set_tick_period_milliseconds": {Type: words(1)},
	"proxy_get_current_time_nanoseconds": {Type: words(1)},
	"proxy_define_metric":                {Type: words(4)},
	"proxy_increment_metric":             {Type: "(i32 i64) -> i32"},
	"proxy_record_metric":                {Type: "(i32 i64) -> i32"},
	"proxy_get_metric":                   {Type: words(2)},
	"proxy_set_effective_context":        {Type: words(1)},
	"proxy_done":                         {Type: words(0)},
	"proxy_call_foreign_function":        {Type: words(6)},

	"proxy_get_configuration": {words(2), []string{"0.1.0"}},
	"proxy_continue_request":  {words(0), []string{"0.1.0"}},
	"proxy_continue_response": {words(0), []string{"0.1.0"}},
	"proxy_clear_route_cache": {words(0), []string{"0.1.0"}},
	"proxy_continue_stream":   {words(1), []string{"0.2.0", "0.2.1"}},
	"proxy_close_stream":      {words(1), []string{"0.2.0", "0.2.1"}},
	"proxy_get_log_level":     {words(1), []string{"0.2.1"}},

	"pthread_equal":                   {Type: words(2)},
	"emscripten_notify_memory_growth": {Type: nothing(1)},
}

// wasiCalls are offered as wasi_snapshot_preview1 and as wasi_unstable. Most only say that they are not supported.
var wasiCalls = map[string]Signature{
	"args_get":                words(2),
	"args_sizes_get":          words(2),
	"clock_res_get":           words(2),
	"clock_time_get":          "(i32 i64 i32) -> i32",
	"environ_get":             words(2),
	"environ_sizes_get":       words(2),
	"fd_advise":               "(i32 i64 i64 i32) -> i32",
	"fd_allocate":             "(i32 i64 i64) -> i32",
	"fd_close":                words(1),
	"fd_datasync":             words(1),
	"fd_fdstat_get":           words(2),
	"fd_fdstat_set_flags":     words(2),
	"fd_fdstat_set_rights":    "(i32 i64 i64) -> i32",
	"fd_filestat_get":         words(2),
	"fd_filestat_set_size":    "(i32 i64) -> i32",
	"fd_filestat_set_times":   "(i32 i64 i64 i32) -> i32",
	"fd_pread":                "(i32 i32 i32 i64 i32) -> i32",
	"fd_prestat_dir_name":     words(3),
	"fd_prestat_get":          words(2),
	"fd_pwrite":               "(i32 i32 i32 i64 i32) -> i32",
	"fd_read":                 words(4),
	"fd_readdir":              "(i32 i32 i32 i64 i32) -> i32",
	"fd_renumber":             words(2),
	"fd_seek":                 "(i32 i64 i32 i32) -> i32",
	"fd_sync":                 words(1),
	"fd_tell":                 words(2),
	"fd_write":                words(4),
	"path_create_directory":   words(3),
	"path_filestat_get":       words(5),
	"path_filestat_set_times": "(i32 i32 i32 i32 i64 i64 i32) -> i32",
	"path_link":               words(6),
	"path_open":               "(i32 i32 i32 i32 i32 i64 i64 i32 i32) -> i32",
	"path_readlink":           words(6),
	"path_remove_directory":   words(3),
	"path_rename":             words(6),
	"path_symlink":            words(4),
	"path_unlink_file":        words(3),
	"poll_oneoff":             words(4),
	"proc_exit":               nothing(1),
	"random_get":              words(2),
	"sched_yield":             words(0),
	"sock_accept":             words(3),
	"sock_recv":               words(6),
	"sock_send":               words(5),
	"sock_shutdown":           words(2),
}
