package filters

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Build builds a Go module for Proxy-Wasm and returns the path of the .wasm. It is kept in the user's cache folder by the
// content of its sources and the version of Go, so a second call costs only the reading of the sources.
func Build(ctx context.Context, dir string) (string, error) {
	hash, err := sourceHash(dir)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(cache, "graft", "filters", hash)
	module := filepath.Join(folder, filepath.Base(dir)+".wasm")
	if _, err := os.Stat(module); err == nil {
		return module, nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(folder, "build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	built := filepath.Join(work, "module.wasm")
	if err := Compile(ctx, dir, built); err != nil {
		return "", err
	}
	return module, os.Rename(built, module) // atomic: several processes may build at the same time
}

// Compile builds a Go module for Proxy-Wasm into a file, whatever was built before.
func Compile(ctx context.Context, dir, output string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", output, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=-mod=readonly", "GOWORK=off")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", dir, err, text)
	}
	return nil
}

// sourceHash is over the names and contents of a module's files, and the version of Go.
func sourceHash(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%s\n", runtime.Version())
	for _, entry := range entries { // sorted by name
		name := entry.Name()
		if !slices.Contains([]string{".go", ".mod", ".sum"}, filepath.Ext(name)) || strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(hash, "%s %d\n%s", name, len(text), text)
	}
	return hex.EncodeToString(hash.Sum(nil))[:16], nil
}
