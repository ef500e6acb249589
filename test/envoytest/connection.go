package envoytest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// dialLimit is how long opening a connection may take.
const dialLimit = 5 * time.Second

// keep holds one of the load's connections open, dialling again when it ends.
func (l *Load) keep(ctx context.Context, number int) {
	for ctx.Err() == nil {
		conn, err := l.dial(ctx)
		if err != nil {
			if ctx.Err() == nil {
				l.count(Answer{Connection: number, Sent: time.Now(), Err: err})
				pause(ctx, 10*time.Millisecond) // a refused dial costs nothing; do not count thousands
			}
			continue
		}
		ends := make(chan error, l.options.Streams)
		var streams sync.WaitGroup
		for range l.options.Streams {
			streams.Go(func() { ends <- l.ask(ctx, conn, number) })
		}
		streams.Wait()
		close(ends)
		for reason := range ends {
			if reason != nil {
				l.closed(fmt.Errorf("connection %d ended: %w", number, reason))
				break
			}
		}
		_ = conn.Close()
	}
}

// ask makes requests on a connection, one at a time, until the load stops or the connection takes no more of them: then it
// returns why.
func (l *Load) ask(ctx context.Context, conn clientConn, number int) (ended error) {
	for ctx.Err() == nil {
		if err := conn.Err(); err != nil {
			return err
		}
		if err := conn.Reserve(); err != nil { // nothing is to be had after a GOAWAY
			return err
		}
		answer := l.request(conn, number)
		l.count(answer)
		switch {
		case answer.Last:
			return errors.New("connection: close")
		case answer.Err != nil && !l.options.HTTP2:
			return answer.Err
		}
		pause(ctx, l.options.Pause)
	}
	return conn.Err()
}

func (l *Load) dial(ctx context.Context) (clientConn, error) {
	target, err := url.Parse(l.options.URL)
	if err != nil {
		return nil, err
	}
	var conn clientConn
	if l.options.HTTP2 {
		conn, err = Dial(ctx, target.Host, true)
	} else {
		conn, err = dialHTTP1(ctx, target.Host)
	}
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.totals.Dials++
	return conn, nil
}

func (l *Load) closed(reason error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.totals.Closes++
	l.totals.note(reason)
}

// Dial opens one connection to host:port, HTTP/1.1 or h2c with prior knowledge. Unlike an http.Transport it never tries a
// request twice and never opens another connection. Close it.
func Dial(ctx context.Context, address string, http2 bool) (*http.ClientConn, error) {
	var protocols http.Protocols
	protocols.SetHTTP1(!http2)
	protocols.SetUnencryptedHTTP2(http2)
	transport := &http.Transport{
		Protocols:          &protocols,
		DisableCompression: true,
		DialContext:        (&net.Dialer{Timeout: dialLimit}).DialContext,
	}
	return transport.NewClientConn(ctx, "http", address)
}
