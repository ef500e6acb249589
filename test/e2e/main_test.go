// Package e2e runs the graft binary, as a user would, with real Envoys.
package e2e

import (
	"os"
	"testing"

	"github.com/graft-xds/graft/test/grafttest"
)

func TestMain(m *testing.M) { os.Exit(grafttest.Main(m)) }
