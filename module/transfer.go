package module

import (
	"io"
	"net/http"
	"strconv"
)

// transfer watches an answer go out. It is an io.ReaderFrom, as the http.Server's own writers are, so that a file goes from
// the disk to the network without passing through here.
type transfer struct {
	http.ResponseWriter
	status int
	sent   int64 // bytes of the body
	err    error
}

// WriteHeader notes the status.
func (t *transfer) WriteHeader(status int) {
	t.status = status
	t.ResponseWriter.WriteHeader(status)
}

// Write counts what was written.
func (t *transfer) Write(p []byte) (int, error) {
	n, err := t.ResponseWriter.Write(p)
	return n, t.count(int64(n), err)
}

// ReadFrom counts what was written.
func (t *transfer) ReadFrom(src io.Reader) (int64, error) {
	n, err := io.Copy(t.ResponseWriter, src)
	return n, t.count(n, err)
}

// Unwrap lets an http.ResponseController reach the writer inside.
func (t *transfer) Unwrap() http.ResponseWriter { return t.ResponseWriter }

func (t *transfer) count(n int64, err error) error {
	t.sent += n
	if err != nil {
		t.err = err
	}
	return err
}

// whole says whether a complete body went out without an error.
func (t *transfer) whole() bool {
	length, err := strconv.ParseInt(t.Header().Get("Content-Length"), 10, 64)
	return err == nil && t.err == nil && t.status == http.StatusOK && t.sent == length
}
