package snapshot

import (
	"slices"
	"strings"
)

const (
	wasmType = typePrefix + "envoy.extensions.filters.http.wasm.v3.Wasm"
	luaType  = typePrefix + "envoy.extensions.filters.http.lua.v3.Lua"
)

// fitsDeclared tells whether a declared slot takes the type. The list is part of the listener, and an unknown type in it
// makes an Envoy refuse the listener, so it has only what every supported build knows.
func fitsDeclared(typeURL string) bool {
	return slices.Contains(declaredTypes(), strings.TrimPrefix(typeURL, typePrefix))
}
