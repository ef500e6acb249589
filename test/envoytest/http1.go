package envoytest

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"time"
)

// clientConn is one connection to a server, as a load needs it. *http.ClientConn is one.
type clientConn interface {
	RoundTrip(*http.Request) (*http.Response, error)
	Reserve() error // takes the place of one more request; an error if the connection takes none
	Err() error     // not nil once the connection cannot be used
	Close() error
}

// http1Conn is an HTTP/1.1 connection for one request at a time. Go's own client gives a connection up when its
// goroutine that writes is not scheduled within 50 ms after the answer (maxWriteWaitBeforeConnReuse): on a busy machine a
// load would count closes that the server had no part in.
type http1Conn struct {
	conn   net.Conn
	reader *bufio.Reader
	err    error
}

func dialHTTP1(ctx context.Context, address string) (*http1Conn, error) {
	conn, err := (&net.Dialer{Timeout: dialLimit}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &http1Conn{conn: conn, reader: bufio.NewReader(conn)}, nil
}

// RoundTrip sends a request and reads the head of the answer. The body has to be read before the next request.
func (c *http1Conn) RoundTrip(req *http.Request) (*http.Response, error) {
	deadline, _ := req.Context().Deadline() // none: the zero time, which is no deadline for a connection either
	resp, err := c.exchange(req, deadline)
	if err != nil {
		c.err = err
	}
	return resp, err
}

func (c *http1Conn) exchange(req *http.Request, deadline time.Time) (*http.Response, error) {
	if err := c.conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	if err := req.Write(c.conn); err != nil {
		return nil, err
	}
	return http.ReadResponse(c.reader, req)
}

func (c *http1Conn) Reserve() error { return c.err }
func (c *http1Conn) Err() error     { return c.err }
func (c *http1Conn) Close() error   { return c.conn.Close() }
