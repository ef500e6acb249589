package envoytest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// LoadOptions say what a load asks for. Only URL is required.
type LoadOptions struct {
	URL         string
	Connections int           // keep-alive connections; 0 means 8
	HTTP2       bool          // h2c with prior knowledge; else HTTP/1.1
	Streams     int           // HTTP/2: requests at a time on each connection, up to 100; 0 means 1
	Pause       time.Duration // after each answer, before the next request; 0: none
	Header      http.Header   // of every request
	Check       func(Answer) error
}

// Answer is the answer to one request, or what went wrong instead.
type Answer struct {
	Connection int       // which of the load's connections, from 0
	Sent       time.Time // when the request was handed to the connection
	Came       time.Time // when the response headers were there
	Status     int
	Header     http.Header
	Trailer    http.Header
	Body       []byte
	Last       bool  // it said that the connection closes after it (`connection: close`)
	Err        error // no whole answer came
}

// Totals are the counts of a load, each of them from its start.
type Totals struct {
	Requests int         // answered or failed; what is under way is not counted yet
	Failures int         // no whole answer came, the status was not 200, or Check did not like it
	Statuses map[int]int // whole answers by status
	Dials    int         // connections that were opened; Connections, if none was ever closed
	Closes   int         // connections that ended before Stop: closed, reset, `connection: close`, GOAWAY
	Errors   []string    // texts of the first failures and closes
}

// String is the counts in one line.
func (t Totals) String() string {
	return fmt.Sprintf("%d requests, %d failures, %d connections opened, %d closed", t.Requests, t.Failures, t.Dials, t.Closes)
}

func (t *Totals) note(err error) {
	if len(t.Errors) < errorsKept {
		t.Errors = append(t.Errors, err.Error())
	}
}

// errorsKept is how many texts Totals.Errors has at most.
const errorsKept = 10

// Load is a number of connections, each asking for the same again and again. No request is ever tried twice.
type Load struct {
	options LoadOptions
	stop    context.CancelFunc
	done    sync.WaitGroup
	mu      sync.Mutex
	totals  Totals
	watches []*watch
}

type watch struct {
	condition func(Answer) bool
	found     chan Answer
}

// NewLoad starts a load; it runs until Stop.
func NewLoad(o LoadOptions) *Load {
	if o.Connections == 0 {
		o.Connections = 8
	}
	if o.Streams == 0 || !o.HTTP2 {
		o.Streams = 1
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &Load{options: o, stop: cancel, totals: Totals{Statuses: map[int]int{}}}
	for i := range o.Connections {
		l.done.Go(func() { l.keep(ctx, i) })
	}
	return l
}

// StartLoad is NewLoad for tests: it is stopped with the test, and has had its first good answer when it is returned.
func StartLoad(tb testing.TB, o LoadOptions) *Load {
	tb.Helper()
	l := NewLoad(o)
	tb.Cleanup(func() { l.Stop() })
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, err := l.Until(ctx, func(a Answer) bool { return a.Err == nil && a.Status == http.StatusOK }); err != nil {
		tb.Fatalf("load on %s: no good answer: %v: %v", o.URL, err, l.Totals().Errors)
	}
	return l
}

// Stop lets the requests under way end, closes the connections and returns the counts.
func (l *Load) Stop() Totals {
	l.stop()
	l.done.Wait()
	return l.Totals()
}

// Totals returns the counts so far.
func (l *Load) Totals() Totals {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.totals
	t.Statuses = maps.Clone(t.Statuses)
	t.Errors = append([]string(nil), t.Errors...)
	return t
}

// Until waits for the first answer to a request sent from now on, or under way, that meets the condition. Subtract the
// time of an edit from Answer.Came for how long the edit took. The condition runs on the load's goroutines, one at a time.
func (l *Load) Until(ctx context.Context, condition func(Answer) bool) (Answer, error) {
	w := l.Watch(condition)
	return w(ctx)
}

// Watch is Until in two steps: it looks at answers from now on, and the function that it returns waits for the first that
// meets the condition. So an edit can be made between the two without missing a quick answer.
func (l *Load) Watch(condition func(Answer) bool) func(ctx context.Context) (Answer, error) {
	w := &watch{condition: condition, found: make(chan Answer, 1)}
	l.mu.Lock()
	l.watches = append(l.watches, w)
	l.mu.Unlock()
	return func(ctx context.Context) (Answer, error) {
		select {
		case a := <-w.found:
			return a, nil
		case <-ctx.Done():
			l.forget(w)
			return Answer{}, fmt.Errorf("no such answer: %w", ctx.Err())
		}
	}
}

func (l *Load) forget(w *watch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.watches {
		if l.watches[i] == w {
			l.watches = append(l.watches[:i], l.watches[i+1:]...)
			return
		}
	}
}

// count takes one answer into the totals and shows it to those who wait.
func (l *Load) count(a Answer) {
	failure := a.Err
	if failure == nil && a.Status != http.StatusOK {
		failure = fmt.Errorf("status %d: %s", a.Status, strings.TrimSpace(string(a.Body[:min(len(a.Body), 200)])))
	}
	if failure == nil && l.options.Check != nil {
		failure = l.options.Check(a)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.totals.Requests++
	if a.Err == nil {
		l.totals.Statuses[a.Status]++
	}
	if failure != nil {
		l.totals.Failures++
		l.totals.note(failure)
	}
	kept := l.watches[:0]
	for _, w := range l.watches {
		if w.condition(a) {
			w.found <- a
		} else {
			kept = append(kept, w)
		}
	}
	l.watches = kept
}

// request makes one request and reads the whole answer. It does not follow ctx: a request under way always ends by itself.
func (l *Load) request(conn http.RoundTripper, number int) Answer {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	a := Answer{Connection: number, Sent: time.Now()}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.options.URL, nil)
	if err != nil {
		a.Err = err
		return a
	}
	for k, v := range l.options.Header {
		req.Header[k] = v
	}
	resp, err := conn.RoundTrip(req)
	if err != nil {
		a.Err = err
		return a
	}
	defer resp.Body.Close()
	a.Came, a.Status, a.Header, a.Last = time.Now(), resp.StatusCode, resp.Header, resp.Close
	a.Body, a.Err = io.ReadAll(resp.Body)
	a.Trailer = resp.Trailer
	if errors.Is(a.Err, io.ErrUnexpectedEOF) {
		a.Err = fmt.Errorf("answer cut off after %d bytes: %w", len(a.Body), a.Err)
	}
	return a
}
