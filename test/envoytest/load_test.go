package envoytest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// serve is an HTTP server on loopback that speaks HTTP/1.1 and h2c.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func protocols(t *testing.T, test func(t *testing.T, http2 bool)) {
	t.Run("HTTP/1.1", func(t *testing.T) { test(t, false) })
	t.Run("HTTP/2", func(t *testing.T) { test(t, true) })
}

// after waits until the load has n requests behind it.
func after(t *testing.T, l *Load, n int) {
	t.Helper()
	Eventually(t, 10*time.Second, "requests", func() error {
		if l.Totals().Requests < n {
			return errors.New(l.Totals().String())
		}
		return nil
	})
}

func TestLoadOnGoodServerClosesNothing(t *testing.T) {
	protocols(t, func(t *testing.T, http2 bool) {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.ProtoAtLeast(2, 0) != http2 {
				t.Errorf("protocol %s", r.Proto)
			}
			_, _ = w.Write([]byte("ok"))
		})
		l := StartLoad(t, LoadOptions{URL: s.URL, HTTP2: http2, Connections: 4, Streams: 3})
		after(t, l, 500)
		got := l.Stop()
		if got.Failures != 0 || got.Dials != 4 || got.Closes != 0 || got.Statuses[200] != got.Requests {
			t.Errorf("%v %v %v", got, got.Statuses, got.Errors)
		}
	})
}

func TestLoadCountsWhatIsNot200(t *testing.T) {
	protocols(t, func(t *testing.T, http2 bool) {
		var n atomic.Int64
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1)%10 == 0 {
				w.WriteHeader(503)
			}
		})
		l := StartLoad(t, LoadOptions{URL: s.URL, HTTP2: http2, Connections: 2})
		after(t, l, 200)
		got := l.Stop()
		if got.Failures != got.Requests/10 || got.Statuses[503] != got.Failures || got.Closes != 0 {
			t.Errorf("%v %v", got, got.Statuses)
		}
	})
}

func TestLoadCountsOrderlyCloses(t *testing.T) {
	protocols(t, func(t *testing.T, http2 bool) {
		var n atomic.Int64
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1)%20 == 0 {
				w.Header().Set("Connection", "close") // the server turns it into a GOAWAY for HTTP/2
			}
		})
		l := StartLoad(t, LoadOptions{URL: s.URL, HTTP2: http2, Connections: 1})
		after(t, l, 200)
		got := l.Stop()
		if got.Failures != 0 {
			t.Errorf("%v: an orderly close is no failure: %v", got, got.Errors)
		}
		if got.Closes < 8 || got.Dials < got.Closes || got.Dials > got.Closes+1 {
			t.Errorf("%v: want about 10 closes, and a dial after each", got)
		}
	})
}

func TestLoadCountsBrokenConnections(t *testing.T) {
	protocols(t, func(t *testing.T, http2 bool) {
		var n atomic.Int64
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1)%20 == 0 {
				panic(http.ErrAbortHandler) // HTTP/1.1: closes the connection; HTTP/2: resets the stream
			}
		})
		l := StartLoad(t, LoadOptions{URL: s.URL, HTTP2: http2, Connections: 1})
		after(t, l, 100)
		got := l.Stop()
		if got.Failures < 4 || got.Failures > 1+got.Requests/20 {
			t.Errorf("%v: want a failure in 20", got)
		}
		if closes := map[bool]int{false: got.Failures, true: 0}[http2]; got.Closes != closes {
			t.Errorf("%v: want %d closes", got, closes)
		}
	})
}

func TestLoadCountsRefusedDials(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	l := NewLoad(LoadOptions{URL: "http://" + listener.Addr().String(), Connections: 1})
	after(t, l, 3)
	got := l.Stop()
	if got.Failures != got.Requests || got.Dials != 0 || len(got.Errors) == 0 || !strings.Contains(got.Errors[0], "refused") {
		t.Errorf("%v %v", got, got.Errors)
	}
}

func TestLoadChecksAnswers(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	l := StartLoad(t, LoadOptions{URL: s.URL, Check: func(a Answer) error {
		if a.Header.Get("hello") == "" {
			return errors.New("no hello")
		}
		return nil
	}})
	after(t, l, 10)
	if got := l.Stop(); got.Failures != got.Requests || got.Errors[0] != "no hello" {
		t.Errorf("%v %v", got, got.Errors)
	}
}

func TestUntilFindsFirstNewAnswer(t *testing.T) {
	var value atomic.Value
	value.Store("old")
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("hello", value.Load().(string)) })
	l := StartLoad(t, LoadOptions{URL: s.URL, Pause: time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()

	found := l.Watch(func(a Answer) bool { return a.Header.Get("hello") == "new" })
	edited := time.Now()
	value.Store("new")
	answer, err := found(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Came.Before(edited) || answer.Header.Get("hello") != "new" {
		t.Errorf("%+v", answer)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := l.Until(ctx, func(a Answer) bool { return a.Status == 418 }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want a deadline, got %v", err)
	}
}
