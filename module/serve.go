package module

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/graft-xds/graft/module/store"
)

// Blobs is where a Server has its modules from: a Resolver. The errors of Open are store.ErrNotFound for a digest that is not
// there, store.ErrDigest for what is none, or others.
type Blobs interface {
	Open(digest string) (io.ReadSeekCloser, error)
}

// Server serves modules by digest to proxies:
//
//	GET|HEAD /modules/<64 hex digits>[.wasm][?proxy=<token>]
//
// A module never changes under its name, so answers may be kept for ever; Range, If-Range and If-None-Match work as RFC 9110
// says. The fields are set before the first request. Limits of time and of connections are those of the http.Server around it.
type Server struct {
	Blobs Blobs

	// Fetched is told each time that a proxy which gave its token has been sent a whole module: once for each GET that was
	// answered 200 and whose last byte was handed to the network; never for HEAD, 304, a range, or an answer that broke off.
	// It may be called from several goroutines at once, and holds the answer's connection while it runs. Nil: nobody is told.
	Fetched func(token, digest string)
}

// Prefix is the path under which modules are served.
const Prefix = "/modules/"

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "modules can only be fetched", http.StatusMethodNotAllowed)
		return
	}
	name, ok := strings.CutPrefix(r.URL.Path, Prefix)
	if !ok {
		http.NotFound(w, r)
		return
	}
	hex := strings.TrimSuffix(name, ".wasm")
	blob, err := s.Blobs.Open("sha256:" + hex)
	if err != nil {
		unavailable(w, hex, err)
		return
	}
	defer func() { _ = blob.Close() }()

	header := w.Header()
	header.Set("Content-Type", "application/wasm")
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	header.Set("Etag", `"sha256:`+hex+`"`)
	header.Set("X-Content-Type-Options", "nosniff")
	sent := &transfer{ResponseWriter: w}
	http.ServeContent(sent, r, "", time.Time{}, blob)
	token := r.URL.Query().Get("proxy")
	if s.Fetched == nil || token == "" || r.Method != http.MethodGet || !sent.whole() {
		return
	}
	// The end of a module may still be in a buffer of ours: a proxy that is told to use it must have it.
	if err := http.NewResponseController(w).Flush(); err == nil && r.Context().Err() == nil {
		s.Fetched(token, "sha256:"+hex)
	}
}

func unavailable(w http.ResponseWriter, hex string, err error) {
	switch {
	case errors.Is(err, store.ErrNotFound):
		http.Error(w, "no module sha256:"+hex, http.StatusNotFound)
	case errors.Is(err, store.ErrDigest):
		http.Error(w, "a module is named by the 64 hex digits of its sha256", http.StatusNotFound)
	default: // not the text: it holds paths of this machine
		http.Error(w, "module sha256:"+hex+" cannot be read", http.StatusInternalServerError)
	}
}
