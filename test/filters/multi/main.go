// Multi is a Proxy-Wasm module that does whatever its plugin configuration says, so that one compiled module serves every
// test: compiling a Go module costs Envoy two seconds, and V8 shares the compiled code.
package main

import (
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

func main() {}

// A module that is a library (-buildmode=c-shared) runs nothing of main; the SDK is told here what to call.
func init() { proxywasm.SetVMContext(&vm{}) }

type vm struct{ types.DefaultVMContext }

// NewPluginContext makes the context of one plugin configuration.
func (*vm) NewPluginContext(uint32) types.PluginContext { return &plugin{} }

type plugin struct {
	types.DefaultPluginContext
	config          config
	requestCounter  counter
	responseCounter counter
}

// OnPluginStart reads the configuration. One that cannot be read, or that says so, is refused.
func (p *plugin) OnPluginStart(size int) types.OnPluginStartStatus {
	if size == 0 {
		return types.OnPluginStartStatusOK
	}
	text, err := proxywasm.GetPluginConfiguration()
	if err != nil {
		proxywasm.LogErrorf("configuration: %v", err)
		return types.OnPluginStartStatusFailed
	}
	if p.config, err = parse(text); err != nil {
		proxywasm.LogErrorf("configuration: %v", err)
		return types.OnPluginStartStatusFailed
	}
	if p.config.Fail {
		return types.OnPluginStartStatusFailed
	}
	if name := p.config.Count; name != "" {
		p.requestCounter, p.responseCounter = define(name+".request"), define(name+".response")
	}
	return types.OnPluginStartStatusOK
}

// NewHttpContext makes the context of one request.
func (p *plugin) NewHttpContext(uint32) types.HttpContext { return &stream{plugin: p} }

// counter counts the bytes and the ends of bodies in Envoy's stats.
type counter struct {
	bytes, ends proxywasm.MetricCounter
	on          bool
}

func define(name string) counter {
	return counter{proxywasm.DefineCounterMetric(name + ".bytes"), proxywasm.DefineCounterMetric(name + ".ends"), true}
}

func (c counter) add(n int, end bool) {
	if !c.on {
		return
	}
	if n > 0 {
		c.bytes.Increment(uint64(n))
	}
	if end {
		c.ends.Increment(1)
	}
}
