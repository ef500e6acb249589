package fleet

import (
	"context"
	"fmt"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	"github.com/graft-xds/graft/test/bench/control"
)

// proxy is one simulated Envoy. Its goroutine owns everything but what stands under the mutex of the fleet.
type proxy struct {
	id      string
	refuses bool
	stalled atomic.Pointer[chan struct{}] // set: reads wait until it is closed

	// Under Fleet.mu.
	stream    *stream
	have      map[string]string // versions that it accepted, by resource name
	acked     map[string]ack    // the newest ACK, by resource name
	responses int               // since the mark
	refusals  int               // since the mark
	payload   int64             // bytes of messages since the mark
	sums      map[string]uint32 // CRC of what it accepted, by resource name
	failure   error             // what ended the stream, if that was not the fleet
	leaving   bool              // the fleet closes the stream
}

// ack is an ACK that was written.
type ack struct {
	version string
	at      int64 // control.Now
}

// wait is the gate of a stream: it holds a stalled proxy back.
func (p *proxy) wait() {
	if held := p.stalled.Load(); held != nil {
		<-*held
	}
}

// connect opens the stream and subscribes.
func (p *proxy) connect(ctx context.Context, c Connect, speaks dialect, have map[string]string) (*stream, error) {
	s, err := open(ctx, c.Addr, c.TLS, speaks.method(), p.wait)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.id, err)
	}
	if err := send(s, speaks.subscribe(node(p.id, c.Cluster), c.Names, have)); err != nil {
		s.conn.Close()
		return nil, fmt.Errorf("%s: %w", p.id, err)
	}
	return s, nil
}

func send(s *stream, message proto.Message) error {
	raw, err := proto.Marshal(message)
	if err != nil {
		return err
	}
	return s.send(raw)
}

// run reads responses and answers each as soon as its last byte is read, until the stream ends.
func (f *Fleet) run(p *proxy, s *stream, speaks dialect, sums bool) {
	err := f.follow(p, s, speaks, sums)
	s.conn.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !p.leaving {
		p.failure = fmt.Errorf("%s: %w", p.id, err)
	}
	p.stream = nil
	f.changed.Broadcast()
}

func (f *Fleet) follow(p *proxy, s *stream, speaks dialect, sums bool) error {
	in := &scanner{in: s, sums: sums}
	for {
		size, err := s.header()
		if err != nil {
			return err
		}
		got, err := speaks.read(in, size)
		if err != nil {
			return err
		}
		if err := f.answer(p, s, speaks, got); err != nil {
			return err
		}
	}
}

func (f *Fleet) answer(p *proxy, s *stream, speaks dialect, got response) error {
	f.mu.Lock()
	p.responses++
	p.payload += got.size
	over := f.count(got.size)
	var reply proto.Message
	if p.refuses {
		p.refusals++
		reply = speaks.refuse(got, p.have)
	} else {
		reply = speaks.accept(got, p.have)
	}
	f.mu.Unlock()
	if over {
		return fmt.Errorf("the fleet has read more than %d bytes since the last mark", f.limit)
	}
	if err := send(s, reply); err != nil {
		return err
	}
	at := control.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !p.refuses {
		for _, r := range got.resources {
			p.acked[r.name] = ack{p.have[r.name], at}
			p.sums[r.name] = r.sum
		}
	}
	f.changed.Broadcast()
	return nil
}
