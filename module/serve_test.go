package module

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/graft-xds/graft/module/store"
)

// shelf is what a test server has: bytes by digest, or an error.
type shelf map[string]any

func (s shelf) Open(digest string) (io.ReadSeekCloser, error) {
	switch blob := s[digest].(type) {
	case []byte:
		return inMemory(blob), nil
	case error:
		return nil, blob
	}
	return nil, fmt.Errorf("module %s: %w", digest, store.ErrNotFound)
}

// witness gathers what a Server tells.
type witness struct {
	told  chan string
	ended chan struct{} // one for each request
}

// serve answers one request after the other.
func serve(t *testing.T, blobs Blobs) (*httptest.Server, witness) {
	t.Helper()
	w := witness{make(chan string, 9), make(chan struct{}, 9)}
	handler := &Server{Blobs: blobs, Fetched: func(token, digest string) { w.told <- token + " " + digest }}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		defer func() { w.ended <- struct{}{} }()
		handler.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	return server, w
}

// after waits for the end of one request and gives what was told of it.
func (w witness) after() (all []string) {
	<-w.ended
	for {
		select {
		case one := <-w.told:
			all = append(all, one)
		default:
			return all
		}
	}
}

func TestServe(t *testing.T) {
	binary := melon().bytes()
	digest := store.Digest(binary)
	hex := strings.TrimPrefix(digest, "sha256:")
	broken := strings.Repeat("b", 64)
	server, w := serve(t, shelf{
		digest:             binary,
		"sha256:" + broken: fmt.Errorf("/var/lib/graft: %w", store.ErrCorrupt),
		"sha256:melon":     store.ErrDigest,
	})
	whole := string(binary)
	for _, test := range []struct {
		name, method, path string
		header             http.Header
		status             int
		body               string
		told               []string
	}{
		{"a whole module", "GET", "/modules/" + hex + ".wasm?proxy=p1", nil, 200, whole, []string{"p1 " + digest}},
		{"without the ending", "GET", "/modules/" + hex + "?proxy=p1", nil, 200, whole, []string{"p1 " + digest}},
		{"by nobody", "GET", "/modules/" + hex + ".wasm", nil, 200, whole, nil},
		{"only the head", "HEAD", "/modules/" + hex + ".wasm?proxy=p1", nil, 200, "", nil},
		{"known", "GET", "/modules/" + hex + ".wasm?proxy=p1", http.Header{"If-None-Match": {`"` + digest + `"`}}, 304, "", nil},
		{"another one known", "GET", "/modules/" + hex + ".wasm?proxy=p1", http.Header{"If-None-Match": {`"x"`}}, 200, whole, []string{"p1 " + digest}},
		{"a part", "GET", "/modules/" + hex + ".wasm?proxy=p1", http.Header{"Range": {"bytes=0-3"}}, 206, "\x00asm", nil},
		{"the rest", "GET", "/modules/" + hex + ".wasm?proxy=p1", http.Header{"Range": {"bytes=4-"}}, 206, whole[4:], nil},
		{"all as a part", "GET", "/modules/" + hex + ".wasm?proxy=p1", http.Header{"Range": {"bytes=0-"}}, 206, whole, nil},
		{"the rest of another", "GET", "/modules/" + hex + ".wasm?proxy=p1", http.Header{"Range": {"bytes=4-"}, "If-Range": {`"x"`}}, 200, whole, []string{"p1 " + digest}},
		{"a part that is not there", "GET", "/modules/" + hex + ".wasm?proxy=p1", http.Header{"Range": {"bytes=9999-"}}, 416, "invalid range: failed to overlap\n", nil},
		{"unknown", "GET", "/modules/" + strings.Repeat("a", 64) + ".wasm?proxy=p1", nil, 404, "no module sha256:" + strings.Repeat("a", 64) + "\n", nil},
		{"not a digest", "GET", "/modules/melon.wasm", nil, 404, "a module is named by the 64 hex digits of its sha256\n", nil},
		{"a folder", "GET", "/modules/", nil, 404, "no module sha256:\n", nil},
		{"elsewhere", "GET", "/" + hex, nil, 404, "404 page not found\n", nil},
		{"damaged", "GET", "/modules/" + broken + "?proxy=p1", nil, 500, "module sha256:" + broken + " cannot be read\n", nil},
		{"a gift", "PUT", "/modules/" + hex + "?proxy=p1", nil, 405, "modules can only be fetched\n", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), test.method, server.URL+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.header != nil {
				request.Header = test.header
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil || response.StatusCode != test.status || string(body) != test.body {
				t.Errorf("%d %q, %v; want %d %q", response.StatusCode, body, err, test.status, test.body)
			}
			if diff := cmp.Diff(test.told, w.after()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestServeSaysThatAModuleNeverChanges(t *testing.T) {
	binary := melon().bytes()
	digest := store.Digest(binary)
	server, _ := serve(t, shelf{digest: binary})
	response, err := http.Head(server.URL + Prefix + strings.TrimPrefix(digest, "sha256:") + ".wasm")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	response.Header.Del("Date")
	want := http.Header{
		"Accept-Ranges":          {"bytes"},
		"Cache-Control":          {"public, max-age=31536000, immutable"},
		"Content-Length":         {fmt.Sprint(len(binary))},
		"Content-Type":           {"application/wasm"},
		"Etag":                   {`"` + digest + `"`},
		"X-Content-Type-Options": {"nosniff"},
	}
	if diff := cmp.Diff(want, response.Header); diff != "" {
		t.Error(diff)
	}
}

// TestFetchedIsToldAfterTheLastByte: who is told that a proxy has a module may tell the proxy to use it at once.
func TestFetchedIsToldAfterTheLastByte(t *testing.T) {
	binary := large(300_000)
	digest := store.Digest(binary)
	received := make(chan struct{})
	server := httptest.NewServer(&Server{Blobs: shelf{digest: binary}, Fetched: func(string, string) { <-received }})
	defer server.Close()

	conn := dial(t, server)
	fmt.Fprintf(conn, "GET /modules/%s.wasm?proxy=p HTTP/1.1\r\nHost: graft\r\n\r\n", strings.TrimPrefix(digest, "sha256:"))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(response.Body) // the handler is in Fetched and has not returned
	close(received)
	if err != nil || !bytes.Equal(got, binary) {
		t.Errorf("%d bytes of %d, %v", len(got), len(binary), err)
	}
}

// TestABrokenOffFetchIsNotTold hangs up in the middle of a module that no socket buffer can hold.
func TestABrokenOffFetchIsNotTold(t *testing.T) {
	binary := large(64 << 20)
	digest := store.Digest(binary)
	server, w := serve(t, shelf{digest: binary})

	conn := dial(t, server)
	fmt.Fprintf(conn, "GET /modules/%s.wasm?proxy=p HTTP/1.1\r\nHost: graft\r\n\r\n", strings.TrimPrefix(digest, "sha256:"))
	if _, err := io.ReadFull(conn, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if told := w.after(); told != nil {
		t.Error(told)
	}
}

func dial(t *testing.T, server *httptest.Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// refusing is a writer whose network is gone.
type refusing struct{ httptest.ResponseRecorder }

func (*refusing) Write([]byte) (int, error) { return 0, errors.New("connection reset by peer") }

func TestAnAnswerThatCannotBeWrittenIsNotTold(t *testing.T) {
	binary := melon().bytes()
	digest := store.Digest(binary)
	s := &Server{Blobs: shelf{digest: binary}, Fetched: func(string, string) { t.Error("told") }}
	request := httptest.NewRequest("GET", Prefix+strings.TrimPrefix(digest, "sha256:")+"?proxy=p", nil)
	s.ServeHTTP(&refusing{*httptest.NewRecorder()}, request)
}
