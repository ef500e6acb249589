package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// adminFlags say where the admin server of a running graft is.
type adminFlags struct{ address string }

func (a *adminFlags) define(flags *pflag.FlagSet) {
	address := os.Getenv("GRAFT_ADMIN")
	if address == "" {
		address = "127.0.0.1:18002"
	}
	flags.StringVar(&a.address, "admin", address, "address of the admin server of the running graft")
}

// adminTimeout is for a graft that accepts and says nothing.
const adminTimeout = 30 * time.Second

// get asks the running graft and decodes its JSON answer; a nil into wants none.
func (a *adminFlags) get(ctx context.Context, path string, into any) error {
	if err := checkAddress(a.address); err != nil {
		return usageError("write host:port, for example 127.0.0.1:18002", "--admin %q: %w", a.address, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.address+path, nil)
	if err != nil {
		return fmt.Errorf("ask graft: %w", err)
	}
	client := http.Client{Timeout: adminTimeout}
	res, err := client.Do(req)
	if err != nil {
		return &failure{
			code: exitFailed, err: fmt.Errorf("no graft answers at %s: %w", a.address, err),
			hint: "start one with graft serve, or say where it is with --admin",
		}
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
		return &failure{code: exitFailed, err: fmt.Errorf("graft at %s: %s", a.address, strings.TrimSpace(string(text)))}
	}
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		return fmt.Errorf("graft at %s: answer to %s: %w", a.address, path, err)
	}
	return nil
}

// await asks until graft is ready, for a while.
func (a *adminFlags) await(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var last error
	for patience > 0 {
		err := a.get(ctx, "/readyz", nil)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil || last == nil {
			last = err // the end of patience itself says nothing
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}
