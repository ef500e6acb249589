// Package target is the servers that the benchmark compares. Each runs in a process of its own and serves the same bytes
// over ADS: a bare gRPC fan-out (the floor), go-control-plane's stock caches (what others run) and graft.
package target

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
)

// Slot is what one ECDS resource shall be: a chain with one filter of about so many bytes.
type Slot struct {
	Listener string // "web": the resource is graft/web
	Bytes    int    // of the module, or of the configuration of a tiny one
	Edit     int    // which one: another number gives other bytes
}

// Inline is the size from which the bytes are a module, sent inline; fewer are the configuration of a tiny module.
const Inline = 64 << 10

// target is a control plane under test. Prepare and push are called by turns; only push is measured.
type target interface {
	// serve answers streams until the target is stopped.
	serve(lis net.Listener) error
	// prepare makes all that a user's program would have in hand before it publishes.
	prepare(ctx context.Context, e *edition) error
	// push publishes what was prepared.
	push(ctx context.Context) error
	// version is what a proxy reports once it has accepted the body.
	version(b body) string
	stop()
}

// Fleet is what a target may know of the proxies that will come.
type Fleet struct {
	Count    int
	Protocol string // "delta" or "sotw"
}

func newTarget(role string, fleet Fleet, secure *tls.Config) (target, error) {
	switch role {
	case "bare":
		return newBare(secure), nil
	case "stock":
		return newStock(fleet, secure), nil
	case "linear":
		return newLinear(secure), nil
	case "graft":
		return newGraft(secure), nil
	}
	return nil, fmt.Errorf("no server %q", role)
}
