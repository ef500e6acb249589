package target

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/graft-xds/graft/test/bench/control"
)

// RolePrefix begins the names of the servers' processes: "server:bare".
const RolePrefix = "server:"

// Begin is the first request to a server: what it serves at first, and to whom.
type Begin struct {
	Fleet  Fleet
	Slots  []Slot
	TLS    bool
	Memory int64 // bytes of RSS at which the process ends itself
}

// Begun tells where the server listens.
type Begun struct {
	Addr string
	Published
}

// Published tells what proxies will have.
type Published struct {
	At       int64             // control.Now before the push
	Versions map[string]string // by resource name
	Sizes    map[string]int64  // bytes of each resource's Any
	Sums     map[string]uint32 // CRC-32C of each resource's Any
}

// Ask says what to measure.
type Ask struct {
	Settle    bool // collect garbage and give memory back first
	ResetPeak bool // begin a new peak afterwards
}

type process struct {
	role     string
	server   target
	prepared Published

	profiling *os.File // of the CPU profile under way
}

// Run is a server's process: it obeys requests until its input ends.
func Run(ctx context.Context, role string, in io.Reader, out io.Writer) error {
	p := &process{role: role}
	defer p.stop()
	return control.Serve(ctx, in, out, map[string]control.Verb{
		"begin":   control.Typed(p.begin),
		"prepare": control.Typed(p.prepare),
		"push":    control.Typed(p.push),
		"usage":   control.Typed(p.usage),
		"profile": control.Typed(p.profile),
	})
}

func (p *process) begin(ctx context.Context, b Begin) (Begun, error) {
	if p.server != nil {
		return Begun{}, errors.New("began already")
	}
	var secure *tls.Config
	var err error
	if b.TLS {
		if secure, err = ownCertificate(); err != nil {
			return Begun{}, err
		}
	}
	if p.server, err = newTarget(p.role, b.Fleet, secure); err != nil {
		return Begun{}, err
	}
	go watch(b.Memory)
	if _, err := p.prepare(ctx, b.Slots); err != nil {
		return Begun{}, err
	}
	published, err := p.push(ctx, struct{}{})
	if err != nil {
		return Begun{}, err
	}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return Begun{}, fmt.Errorf("listen: %w", err)
	}
	go func() { _ = p.server.serve(lis) }() // ends with the target; a failure shows as refused connections
	return Begun{Addr: lis.Addr().String(), Published: published}, nil
}

// prepare composes the slots and hands them to the server; what it returns will be true after the push.
func (p *process) prepare(ctx context.Context, slots []Slot) (Published, error) {
	e, err := compose(slots)
	if err != nil {
		return Published{}, err
	}
	if err := p.server.prepare(ctx, e); err != nil {
		return Published{}, err
	}
	p.prepared = Published{Versions: map[string]string{}, Sizes: map[string]int64{}, Sums: map[string]uint32{}}
	for _, b := range e.bodies {
		p.prepared.Versions[b.name] = p.server.version(b)
		p.prepared.Sizes[b.name] = b.size
		p.prepared.Sums[b.name] = b.sum
	}
	return p.prepared, nil
}

func (p *process) push(ctx context.Context, _ struct{}) (Published, error) {
	p.prepared.At = control.Now()
	return p.prepared, p.server.push(ctx)
}

func (p *process) usage(_ context.Context, a Ask) (Usage, error) {
	u, err := measure(a.Settle)
	if err != nil {
		return u, err
	}
	if a.ResetPeak {
		return u, resetPeak()
	}
	return u, nil
}

func (p *process) stop() {
	if p.server != nil {
		p.server.stop()
	}
}
