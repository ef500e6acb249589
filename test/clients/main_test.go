// Package clients shows that graft speaks the xDS protocol as others understand it: the graft binary serves
// go-control-plane's client, gRPC's own, and clients made here that ask for every corner of the protocol. Istio's client is
// in test/tools/adsc, a module of its own.
package clients

import (
	"os"
	"testing"

	"github.com/graft-xds/graft/test/grafttest"
)

func TestMain(m *testing.M) { os.Exit(grafttest.Main(m)) }
