package e2e

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/graft-xds/graft/test/envoytest"
	"github.com/graft-xds/graft/test/grafttest"
)

const patience = grafttest.Patience

type graft = grafttest.Graft

func newGraft(tb testing.TB, documents map[string]string, args ...string) *graft {
	tb.Helper()
	return grafttest.New(tb, documents, args...)
}

// get asks a proxy once.
func get(tb testing.TB, url string, header ...string) envoytest.Answer {
	tb.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		tb.Fatal(err)
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return envoytest.Answer{Err: err}
	}
	defer func() { _ = res.Body.Close() }()
	return envoytest.Answer{Status: res.StatusCode, Header: res.Header}
}

func readFile(tb testing.TB, path string) []byte {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}
