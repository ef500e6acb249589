// Melon is a filter that adds one response header, by default `hello: melon`.
package main

import (
	"encoding/json"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

func main() {} // a filter is a library: Envoy calls it

func init() { proxywasm.SetVMContext(&vm{}) }

type vm struct{ types.DefaultVMContext }

func (*vm) NewPluginContext(uint32) types.PluginContext {
	return &plugin{Header: "hello", Value: "melon"}
}

// plugin is one configuration: what `config` says in the Filter document.
type plugin struct {
	types.DefaultPluginContext
	Header string `json:"header"`
	Value  string `json:"value"`
}

func (p *plugin) OnPluginStart(size int) types.OnPluginStartStatus {
	if size == 0 {
		return types.OnPluginStartStatusOK
	}
	text, err := proxywasm.GetPluginConfiguration()
	if err == nil {
		err = json.Unmarshal(text, p)
	}
	if err != nil {
		proxywasm.LogErrorf("configuration: %v", err) // in Envoy's log; the configuration before stays in force
		return types.OnPluginStartStatusFailed
	}
	return types.OnPluginStartStatusOK
}

func (p *plugin) NewHttpContext(uint32) types.HttpContext { return &stream{plugin: p} }

// stream is one request and its response.
type stream struct {
	types.DefaultHttpContext
	plugin *plugin
}

func (s *stream) OnHttpResponseHeaders(int, bool) types.Action {
	if err := proxywasm.AddHttpResponseHeader(s.plugin.Header, s.plugin.Value); err != nil {
		proxywasm.LogErrorf("add %s: %v", s.plugin.Header, err)
	}
	return types.ActionContinue
}
