// Package filters has the Proxy-Wasm modules that tests run in a real Envoy: two tiny ones as bytes, and Go modules that
// are built once and kept in the user's cache folder.
package filters

import (
	_ "embed"
	"path/filepath"
	"testing"

	"github.com/graft-xds/graft/test/envoytest"
)

var (
	//go:embed testdata/melon.wasm
	melon []byte
	//go:embed testdata/cfg.wasm
	configurable []byte
)

// Melon is a module of 223 bytes that adds the response header `hello: melon`.
func Melon() []byte { return append([]byte(nil), melon...) }

// Configurable is a module of 773 bytes that adds the response header `hello: <plugin configuration>`. The configurations
// "fail", "trap" and "spin" make it refuse its configuration, trap on it and never return from it; the VM configuration
// "vmfail" makes it refuse to start; a request header x-trap makes it trap.
func Configurable() []byte { return append([]byte(nil), configurable...) }

// Multi returns the path of the Go module test/filters/multi, whose JSON configuration says what it does: see
// multi/config.go. It is built at the first call on a machine, and after a change.
func Multi(tb testing.TB) string {
	tb.Helper()
	root, err := envoytest.Root()
	if err != nil {
		tb.Fatal(err)
	}
	path, err := Build(tb.Context(), filepath.Join(root, "test", "filters", "multi"))
	if err != nil {
		tb.Fatal(err)
	}
	return path
}
