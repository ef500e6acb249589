package main

import (
	"slices"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

// stream is one request and its response. Both directions do the same with other host calls: see direction.
type stream struct {
	types.DefaultHttpContext
	plugin   *plugin
	replied  bool // we answered ourselves: the response that comes by is our own
	request  body
	response body
}

// body is how far a body that is buffered has come.
type body struct {
	some    bool // a piece that was not empty has come
	wrapped bool
}

// wholeBody is more than any body here has: a host call that asks for so much gets what there is.
const wholeBody = 1 << 30

func (s *stream) OnHttpRequestHeaders(_ int, end bool) types.Action {
	if name := s.plugin.config.TrapHeader; name != "" {
		if _, err := proxywasm.GetHttpRequestHeader(name); err == nil {
			panic("trap, as asked")
		}
	}
	return s.headers(s.plugin.config.Request, requests(), s.plugin.requestCounter, end)
}

func (s *stream) OnHttpResponseHeaders(_ int, end bool) types.Action {
	if s.replied {
		return types.ActionContinue
	}
	return s.headers(s.plugin.config.Response, responses(), s.plugin.responseCounter, end)
}

func (s *stream) headers(c side, d direction, count counter, end bool) types.Action {
	count.add(0, end)
	if c.Wrap != "" {
		check(d.removeHeader("content-length"))
	}
	for _, name := range sorted(c.Headers) {
		check(d.addHeader(name, c.Headers[name]))
	}
	if c.Callout == "" {
		if c.Reply != 0 {
			s.reply(c.Reply)
			return types.ActionPause
		}
		return types.ActionContinue
	}
	_, err := proxywasm.DispatchHttpCall(c.Callout, [][2]string{
		{":method", "GET"}, {":path", "/callout?delay=2ms"}, {":authority", "callout"},
	}, nil, nil, 5000, func(int, int, int) { s.called(c, d) })
	check(err)
	return types.ActionPause
}

// called goes on after the callout, with what it answered.
func (s *stream) called(c side, d direction) {
	status := "none"
	headers, err := proxywasm.GetHttpCallResponseHeaders()
	check(err)
	for _, h := range headers {
		if h[0] == ":status" {
			status = h[1]
		}
	}
	if c.Reply != 0 {
		s.reply(c.Reply)
		return
	}
	check(d.addHeader("x-callout", status))
	check(d.resume())
}

func (s *stream) reply(status int) {
	s.replied = true
	check(proxywasm.SendHttpResponse(uint32(status), [][2]string{{"x-reply", "multi"}}, []byte("no tea\n"), -1))
}

func (s *stream) OnHttpRequestBody(size int, end bool) types.Action {
	return s.piece(s.plugin.config.Request, requests(), s.plugin.requestCounter, &s.request, size, end)
}

func (s *stream) OnHttpResponseBody(size int, end bool) types.Action {
	if s.replied {
		return types.ActionContinue
	}
	return s.piece(s.plugin.config.Response, responses(), s.plugin.responseCounter, &s.response, size, end)
}

func (s *stream) piece(c side, d direction, count counter, b *body, size int, end bool) types.Action {
	if c.Wrap != "" {
		b.some = b.some || size > 0
		if !end {
			return types.ActionPause
		}
		count.add(b.wrap(c.Wrap, d), true)
		return types.ActionContinue
	}
	count.add(size, end)
	if c.Upper && size > 0 {
		text, err := d.body(0, size)
		check(err)
		for i, ch := range text {
			if 'a' <= ch && ch <= 'z' {
				text[i] = ch - 'a' + 'A'
			}
		}
		check(d.replaceBody(text))
	}
	return types.ActionContinue
}

// wrap replaces what has been buffered, and returns how many bytes that was.
func (b *body) wrap(name string, d direction) int {
	b.wrapped = true
	var text []byte
	if b.some {
		var err error
		text, err = d.body(0, wholeBody)
		check(err)
	}
	check(d.replaceBody(slices.Concat([]byte(name+"("), text, []byte(")"))))
	return len(text)
}

func (s *stream) OnHttpRequestTrailers(int) types.Action {
	return s.trailers(s.plugin.config.Request, requests(), s.plugin.requestCounter, &s.request)
}

func (s *stream) OnHttpResponseTrailers(int) types.Action {
	if s.replied {
		return types.ActionContinue
	}
	return s.trailers(s.plugin.config.Response, responses(), s.plugin.responseCounter, &s.response)
}

func (s *stream) trailers(c side, d direction, count counter, b *body) types.Action {
	if c.Wrap != "" && b.some && !b.wrapped {
		count.add(b.wrap(c.Wrap, d), false) // the trailers end the body, not its last piece
	}
	count.add(0, true)
	for _, name := range sorted(c.Trailers) {
		check(d.setTrailer(name, c.Trailers[name]))
	}
	return types.ActionContinue
}
