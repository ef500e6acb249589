package snapshot

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	luav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	"google.golang.org/protobuf/types/known/anypb"
)

// luaFilter renders a script.
func luaFilter(script string) *luav3.Lua {
	return &luav3.Lua{DefaultSourceCode: &corev3.DataSource{
		Specifier: &corev3.DataSource_InlineString{InlineString: script},
	}}
}

// withLuaAttempt makes the bytes of a script unique where no stamp goes ahead of it.
func withLuaAttempt(packed *anypb.Any, attempt string) *anypb.Any {
	filter := &luav3.Lua{}
	if err := packed.UnmarshalTo(filter); err != nil {
		return packed
	}
	return anyOf(luaFilter(filter.GetDefaultSourceCode().GetInlineString() + "\n-- graft: " + attempt + "\n"))
}
