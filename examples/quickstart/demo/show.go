package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/graft-xds/graft/test/envoytest"
)

// patience is how long one edit may take until it is in force. A Go module compiles for seconds on a busy machine.
const patience = time.Minute

// curl asks once and shows the answer as `curl -i` does.
func (s *stage) curl(ctx context.Context, want ...string) error {
	head, body, header, err := s.ask(ctx)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(s.address)
	if err != nil {
		return err
	}
	s.out.line("")
	s.out.line("  $ curl -i localhost:%s/hi", port)
	s.out.indented(head)
	s.out.indented(body)
	if !slices.Equal(header["Hello"], want) {
		return fmt.Errorf("hello is %q, want %q", header["Hello"], want)
	}
	return nil
}

// ask makes one request and keeps the head of the answer as it came.
func (s *stage) ask(ctx context.Context) (head, body string, header http.Header, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp4", s.address)
	if err != nil {
		return "", "", nil, err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return "", "", nil, err
		}
	}
	if _, err := fmt.Fprintf(conn, "GET /hi HTTP/1.1\r\nHost: %s\r\nUser-Agent: demo\r\nAccept: */*\r\n\r\n", s.address); err != nil {
		return "", "", nil, err
	}
	var raw bytes.Buffer
	resp, err := http.ReadResponse(bufio.NewReader(io.TeeReader(conn, &raw)), nil)
	if err != nil {
		return "", "", nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", "", nil, err
	}
	head, _, _ = strings.Cut(raw.String(), "\r\n\r\n")
	return head + "\r\n\r\n", string(text), resp.Header, nil
}

// startLoad begins to ask, and waits for the first answers.
func (s *stage) startLoad(ctx context.Context) error {
	for _, http2 := range []bool{false, true} {
		load := envoytest.NewLoad(envoytest.LoadOptions{
			URL: "http://" + s.address + "/hi", Connections: 4, HTTP2: http2, Pause: 2 * time.Millisecond,
			Check: func(a envoytest.Answer) error {
				if len(a.Header["Hello"]) == 0 {
					return errors.New("an answer without any filter")
				}
				return nil
			},
		})
		s.later(func() { load.Stop() })
		s.loads = append(s.loads, load)
		if _, err := load.Until(ctx, func(a envoytest.Answer) bool { return a.Status == http.StatusOK }); err != nil {
			return fmt.Errorf("load: %w: %v", err, load.Totals().Errors)
		}
	}
	return nil
}

// edit makes one edit, waits for the first answer that shows it, and shows an answer.
func (s *stage) edit(ctx context.Context, number int, e edit) error {
	s.out.line("")
	s.out.line("%d. %s", number, e.title)
	s.out.line("")
	save, err := e.change(ctx, s)
	if err != nil {
		return fmt.Errorf("%s: %w", e.title, err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	first := s.loads[0].Watch(func(a envoytest.Answer) bool { return slices.Equal(a.Header["Hello"], e.want) })
	start := time.Now()
	if err := save(); err != nil {
		return err
	}
	answer, err := first(ctx)
	if err != nil {
		return fmt.Errorf("%s: no answer with hello %q: %w", e.title, e.want, err)
	}
	took := answer.Came.Sub(start)
	s.took = append(s.took, result{e.title, took})
	s.out.line("")
	s.out.line("  saved; the first new answer came %s later", length(took))
	return s.curl(ctx, e.want...)
}

// sum ends the load and says what it counted. Anything but zero failures and zero closed connections is an error.
func (s *stage) sum() error {
	s.out.line("")
	s.out.line("From save to first new answer:")
	for _, r := range s.took {
		s.out.line("  %-42s%8s", r.title, length(r.took))
	}
	var requests, failures, closes int
	var reasons []string
	for _, load := range s.loads {
		t := load.Stop()
		requests, failures, closes = requests+t.Requests, failures+t.Failures, closes+t.Closes
		reasons = append(reasons, t.Errors...)
	}
	listeners, err := s.envoy.Listeners()
	if err != nil {
		return err
	}
	s.out.line("")
	s.out.line("%s requests, %d failures, %d closed connections, %d listeners modified", thousands(requests), failures, closes, listeners.Modified)
	if failures+closes > 0 {
		return fmt.Errorf("%d failures and %d closed connections: %s", failures, closes, strings.Join(reasons, "; "))
	}
	return nil
}
