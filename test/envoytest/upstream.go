package envoytest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"
)

// CaseHeader names a request, so that what the upstream saw of it can be asked for; see Upstream.Saw.
const CaseHeader = "X-Case"

// Upstream is an HTTP server on loopback, HTTP/1.1 and h2c on one port. It answers every path with 200 and a Seen as JSON;
// the query changes that:
//
//	status=503    that status
//	delay=200ms   waits before it answers
//	bytes=1000    a body of so many bytes (see Filler) instead of the JSON
//	chunks=10     in so many pieces, flushed one by one
//	every=5ms     with a pause before each further piece
//	header=k:v    a response header; may be repeated
//	trailer=k:v   a response trailer; may be repeated
type Upstream struct {
	Address string // host:port
	server  *http.Server
	mu      sync.Mutex
	saw     map[string][]Seen
}

// Seen is a request as the upstream saw it.
type Seen struct {
	Method   string      `json:"method"`
	Path     string      `json:"path"`
	Protocol string      `json:"protocol"`
	Headers  http.Header `json:"headers"`
	Trailers http.Header `json:"trailers,omitempty"`
	Length   int         `json:"length"` // of the body, in bytes
	SHA256   string      `json:"sha256"` // of the body, hex
	Body     string      `json:"body"`   // its first 4 KiB
}

// NewUpstream starts an upstream on a free port of 127.0.0.1.
func NewUpstream() (*Upstream, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &Upstream{Address: listener.Addr().String(), saw: map[string][]Seen{}}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	u.server = &http.Server{Handler: u, Protocols: &protocols, ReadHeaderTimeout: time.Minute}
	go func() { _ = u.server.Serve(listener) }() // returns ErrServerClosed
	return u, nil
}

// StartUpstream is NewUpstream for tests.
func StartUpstream(tb testing.TB) *Upstream {
	tb.Helper()
	u, err := NewUpstream()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(u.Close)
	return u
}

// Close ends the upstream and its connections.
func (u *Upstream) Close() { _ = u.server.Close() }

// Saw returns the requests that carried a CaseHeader with this value, in the order in which their bodies ended.
func (u *Upstream) Saw(name string) []Seen {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]Seen(nil), u.saw[name]...)
}

// ServeHTTP answers as the query says; see Upstream.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	seen, err := read(r)
	if err != nil {
		panic(http.ErrAbortHandler) // the client went away
	}
	if name := r.Header.Get(CaseHeader); name != "" {
		u.mu.Lock()
		u.saw[name] = append(u.saw[name], seen)
		u.mu.Unlock()
	}
	query := r.URL.Query()
	if !pause(r.Context(), duration(query, "delay")) {
		panic(http.ErrAbortHandler)
	}
	for _, pair := range query["header"] {
		k, v := keyValue(pair)
		w.Header().Add(k, v)
	}
	for _, pair := range query["trailer"] {
		k, _ := keyValue(pair)
		w.Header().Add("Trailer", k)
	}
	answer(w, r, query, seen)
	for _, pair := range query["trailer"] {
		k, v := keyValue(pair)
		w.Header().Set(k, v)
	}
}

func read(r *http.Request) (Seen, error) {
	hash := sha256.New()
	head := &prefix{limit: 4096}
	n, err := io.Copy(io.MultiWriter(hash, head), r.Body)
	if err != nil {
		return Seen{}, err
	}
	headers := r.Header.Clone()
	headers.Set("Host", r.Host)
	return Seen{
		Method: r.Method, Path: r.URL.RequestURI(), Protocol: r.Proto, Headers: headers, Trailers: r.Trailer.Clone(),
		Length: int(n), SHA256: hex.EncodeToString(hash.Sum(nil)), Body: string(head.bytes),
	}, nil
}

func answer(w http.ResponseWriter, r *http.Request, query url.Values, seen Seen) {
	body, _ := json.Marshal(seen) // strings, numbers and maps of them: cannot fail
	if query.Has("bytes") {
		body = Filler(number(query, "bytes", 0))
	} else {
		w.Header().Set("Content-Type", "application/json")
	}
	chunks := number(query, "chunks", 1)
	if chunks == 1 && !query.Has("trailer") {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(number(query, "status", http.StatusOK))
	for i := range chunks {
		if i > 0 && !pause(r.Context(), duration(query, "every")) {
			panic(http.ErrAbortHandler)
		}
		if _, err := w.Write(body[i*len(body)/chunks : (i+1)*len(body)/chunks]); err != nil {
			return // the client went away
		}
		if chunks > 1 {
			_ = http.NewResponseController(w).Flush()
		}
	}
}

// Filler is a body of n bytes, always the same.
func Filler(n int) []byte {
	body := make([]byte, n)
	for i := range body {
		body[i] = 'a' + byte((i+i/26)%26)
	}
	return body
}

// prefix keeps the first bytes of what is written to it.
type prefix struct {
	bytes []byte
	limit int
}

func (p *prefix) Write(b []byte) (int, error) {
	if room := p.limit - len(p.bytes); room > 0 {
		p.bytes = append(p.bytes, b[:min(room, len(b))]...)
	}
	return len(b), nil
}

func pause(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
