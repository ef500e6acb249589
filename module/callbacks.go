package module

// callback gives the type that Envoy asks of an exported function, and nothing for a function that it does not look for.
// Source: wasm.h and wasm.cc (getFunctions) of proxy-wasm-cpp-host as Envoy 1.40 has it.
func (i *Inspection) callback(name string) Signature {
	switch name {
	case "_start", "main", "__main_void": // a module that exports _initialize is a reactor: it is not started, but has a main
		reactor := i.exports("_initialize")
		return entryPoints[entryPoint{name, reactor}]
	case "proxy_on_memory_allocate":
		if i.exports("malloc") {
			return ""
		}
	case "proxy_on_request_headers", "proxy_on_response_headers":
		if i.ABI == "0.1.0" {
			return words(2)
		}
	case "proxy_on_foreign_function":
		if i.ABI == "0.1.0" {
			return ""
		}
	}
	return callbacks[name]
}

type entryPoint struct {
	name    string
	reactor bool
}

var entryPoints = map[entryPoint]Signature{
	{"_start", false}:     nothing(0),
	{"main", true}:        words(2),
	{"__main_void", true}: words(0),
}

var callbacks = map[string]Signature{
	"_initialize":                             nothing(0),
	"malloc":                                  words(1),
	"proxy_on_memory_allocate":                words(1),
	"proxy_validate_configuration":            words(2),
	"proxy_on_vm_start":                       words(2),
	"proxy_on_configure":                      words(2),
	"proxy_on_tick":                           nothing(1),
	"proxy_on_context_create":                 nothing(2),
	"proxy_on_new_connection":                 words(1),
	"proxy_on_downstream_data":                words(3),
	"proxy_on_upstream_data":                  words(3),
	"proxy_on_downstream_connection_close":    nothing(2),
	"proxy_on_upstream_connection_close":      nothing(2),
	"proxy_on_request_headers":                words(3),
	"proxy_on_response_headers":               words(3),
	"proxy_on_foreign_function":               nothing(3),
	"envoy_on_resolve_dns":                    nothing(3),
	"envoy_on_stats_update":                   nothing(2),
	"proxy_on_request_body":                   words(3),
	"proxy_on_request_trailers":               words(2),
	"proxy_on_request_metadata":               words(2),
	"proxy_on_response_body":                  words(3),
	"proxy_on_response_trailers":              words(2),
	"proxy_on_response_metadata":              words(2),
	"proxy_on_http_call_response":             nothing(5),
	"proxy_on_grpc_receive":                   nothing(3),
	"proxy_on_grpc_close":                     nothing(3),
	"proxy_on_grpc_receive_initial_metadata":  nothing(3),
	"proxy_on_grpc_receive_trailing_metadata": nothing(3),
	"proxy_on_queue_ready":                    nothing(2),
	"proxy_on_done":                           words(1),
	"proxy_on_log":                            nothing(1),
	"proxy_on_delete":                         nothing(1),
}
