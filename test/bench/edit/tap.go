package edit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// tap stands between a proxy and its control plane, passes everything on and notes when HTTP/2 DATA frames go by: the
// messages of the xDS stream, and nothing else.
type tap struct {
	lis    net.Listener
	target string
	tasks  sync.WaitGroup

	mu     sync.Mutex
	conns  []net.Conn
	frames []frame
	news   chan struct{} // closed and replaced at every frame
}

// frame is one DATA frame that went by.
type frame struct {
	at       time.Time
	response bool // from the control plane
}

func newTap(target string) (*tap, error) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("tap: %w", err)
	}
	t := &tap{lis: lis, target: target, news: make(chan struct{})}
	t.tasks.Go(t.accept)
	return t, nil
}

func (t *tap) addr() string { return t.lis.Addr().String() }

func (t *tap) accept() {
	for {
		proxy, err := t.lis.Accept()
		if err != nil {
			return
		}
		plane, err := net.Dial("tcp", t.target)
		if err != nil {
			proxy.Close() // the proxy tries again
			continue
		}
		t.mu.Lock()
		t.conns = append(t.conns, proxy, plane)
		t.mu.Unlock()
		t.tasks.Go(func() { t.pass(proxy, plane, false) })
		t.tasks.Go(func() { t.pass(plane, proxy, true) })
	}
}

// pass copies one direction until it ends, and then ends both.
func (t *tap) pass(from, to net.Conn, response bool) {
	defer from.Close()
	defer to.Close()
	scan := frames{skip: len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")}
	if response {
		scan.skip = 0
	}
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if scan.data(buffer[:n]) {
			t.note(frame{at: time.Now(), response: response})
		}
		if _, failure := to.Write(buffer[:n]); err != nil || failure != nil {
			return
		}
	}
}

func (t *tap) note(f frame) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.frames = append(t.frames, f)
	close(t.news)
	t.news = make(chan struct{})
}

// next waits for the first frame of a direction that went by after a moment.
func (t *tap) next(ctx context.Context, after time.Time, response bool) (time.Time, error) {
	for {
		t.mu.Lock()
		for _, f := range t.frames {
			if f.response == response && f.at.After(after) {
				t.mu.Unlock()
				return f.at, nil
			}
		}
		news := t.news
		t.mu.Unlock()
		select {
		case <-ctx.Done():
			return time.Time{}, errors.Join(ctx.Err(), errors.New("no message came by the tap"))
		case <-news:
		}
	}
}

// forget drops what went by so far.
func (t *tap) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.frames = nil
}

func (t *tap) close() {
	t.lis.Close()
	t.mu.Lock()
	for _, c := range t.conns {
		c.Close()
	}
	t.mu.Unlock()
	t.tasks.Wait()
}

// frames finds the frames in one direction of an HTTP/2 connection.
type frames struct {
	skip int // bytes until the next frame header
	head []byte
}

// data takes the next bytes and tells whether a DATA frame with content begins in them.
func (f *frames) data(raw []byte) bool {
	found := false
	for len(raw) > 0 {
		if f.skip > 0 {
			n := min(f.skip, len(raw))
			f.skip -= n
			raw = raw[n:]
			continue
		}
		n := min(frameHeader-len(f.head), len(raw))
		f.head = append(f.head, raw[:n]...)
		raw = raw[n:]
		if len(f.head) < frameHeader {
			break
		}
		length := int(binary.BigEndian.Uint32(append([]byte{0}, f.head[:3]...)))
		found = found || f.head[3] == dataFrame && length > 0
		f.skip, f.head = length, f.head[:0]
	}
	return found
}

// RFC 9113 4.1 and 6.1.
const (
	frameHeader = 9
	dataFrame   = 0
)
