package module

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/graft-xds/graft/module/store"
	"github.com/graft-xds/graft/snapshot"
)

func BenchmarkInspect(b *testing.B) {
	binary := large(2 << 20)
	b.SetBytes(int64(len(binary)))
	b.ReportAllocs()
	for b.Loop() {
		i, err := Inspect(binary)
		if err != nil {
			b.Fatal(err)
		}
		if err := i.Check(); err != nil {
			b.Fatal(err)
		}
	}
}

// large is melon with functions of 500 bytes each until it has that size, as a compiled Go program has.
func large(size int) []byte {
	s := melon()
	nops := bytes.Repeat([]byte{0x01}, 500)
	var functions, code [][]byte
	for range size / 500 {
		functions = append(functions, uleb(1))
		code = append(code, cat(uleb(502), []byte{0}, nops, []byte{opEnd}))
	}
	return header(
		vector(1, [][]byte{funcType(item{params: i32, results: i32}), funcType(item{})}),
		vector(3, append([][]byte{{1}, {0}}, functions...)),
		vector(5, [][]byte{s.memory}),
		vector(7, [][]byte{
			cat(text("memory"), []byte{byte(Mem), 0}),
			cat(text("proxy_abi_version_0_2_1"), []byte{0, 0}),
			cat(text("malloc"), []byte{0, 1}),
		}),
		vector(10, append([][]byte{{2, 0, opEnd}, {4, 0, 0x41, 0, opEnd}}, code...)),
	)
}

func BenchmarkResolve(b *testing.B) {
	s, err := store.New(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		binary []byte
		held   bool // the store has it
	}{{"small, new", melon().bytes(), false}, {"2 MB, new", large(2 << 20), false}, {"2 MB, stored", large(2 << 20), true}} {
		b.Run(c.name, func(b *testing.B) {
			binary := c.binary
			path := filepath.Join(b.TempDir(), "module.wasm")
			if err := os.WriteFile(path, binary, 0o600); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(binary)))
			b.ReportAllocs()
			for b.Loop() {
				if !c.held {
					_ = os.Remove(s.Path(store.Digest(binary)))
				}
				r := NewResolver(Options{Store: s})
				if o, _ := r.try(b.Context(), snapshot.Ref{Location: path, Stamp: "1"}); o.Err != nil {
					b.Fatal(o.Err)
				}
			}
		})
	}
}

func BenchmarkServe(b *testing.B) {
	s, err := store.New(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	binary := large(2 << 20)
	digest := store.Digest(binary)
	if err := s.Put(digest, binary); err != nil {
		b.Fatal(err)
	}
	resolver := NewResolver(Options{Store: s})
	for _, c := range []struct {
		name, path string
		handler    http.Handler
	}{
		{"graft", Prefix + strings.TrimPrefix(digest, "sha256:") + ".wasm?proxy=p", &Server{Blobs: resolver, Fetched: func(string, string) {}}},
		{"net/http", "/" + strings.TrimPrefix(digest, "sha256:"), http.FileServerFS(os.DirFS(strings.TrimSuffix(s.Path(digest), strings.TrimPrefix(digest, "sha256:"))))},
	} {
		b.Run(c.name, func(b *testing.B) {
			server := httptest.NewServer(c.handler)
			defer server.Close()
			b.SetBytes(int64(len(binary)))
			for b.Loop() {
				response, err := http.Get(server.URL + c.path)
				if err != nil {
					b.Fatal(err)
				}
				n, err := io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				if err != nil || n != int64(len(binary)) {
					b.Fatal(n, err)
				}
			}
		})
	}
}
