package main

import (
	"maps"
	"slices"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
)

// direction is the host calls of requests or of responses.
type direction struct {
	addHeader    func(name, value string) error
	removeHeader func(name string) error
	setTrailer   func(name, value string) error
	body         func(start, size int) ([]byte, error)
	replaceBody  func([]byte) error
	resume       func() error
}

func requests() direction {
	return direction{
		proxywasm.AddHttpRequestHeader, proxywasm.RemoveHttpRequestHeader, proxywasm.ReplaceHttpRequestTrailer,
		proxywasm.GetHttpRequestBody, proxywasm.ReplaceHttpRequestBody, proxywasm.ResumeHttpRequest,
	}
}

func responses() direction {
	return direction{
		proxywasm.AddHttpResponseHeader, proxywasm.RemoveHttpResponseHeader, proxywasm.ReplaceHttpResponseTrailer,
		proxywasm.GetHttpResponseBody, proxywasm.ReplaceHttpResponseBody, proxywasm.ResumeHttpResponse,
	}
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// check traps when a host call fails: a test shall not go on with half of what it asked for.
func check(err error) {
	if err != nil {
		panic(err)
	}
}
