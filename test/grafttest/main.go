package grafttest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/graft-xds/graft/test/envoytest"
)

// binaryVariable names the graft that the tests run; unset, it is built from this tree.
const binaryVariable = "GRAFT_BINARY"

// Main runs the tests of a package with a graft to run, and returns the exit code:
//
//	func TestMain(m *testing.M) { os.Exit(grafttest.Main(m)) }
func Main(m *testing.M) int {
	if os.Getenv(binaryVariable) != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "graft-binary-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "graft")
	if err := envoytest.BuildGraft(context.Background(), path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := os.Setenv(binaryVariable, path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
