package envoytest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// pollInterval is how often a condition is looked at; short, because tests measure with it.
const pollInterval = 5 * time.Millisecond

// WaitFor asks a condition again and again until it returns nil, and returns its last error when ctx ends first.
func WaitFor(ctx context.Context, condition func() error) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		err := condition()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, fmt.Errorf("gave up waiting: %w", context.Cause(ctx)))
		case <-tick.C:
		}
	}
}

// Eventually is WaitFor for tests: it fails the test when the condition does not come to hold in time.
func Eventually(tb testing.TB, within time.Duration, what string, condition func() error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	start := time.Now()
	if err := WaitFor(ctx, condition); err != nil {
		tb.Fatalf("%s: not within %s: %v", what, time.Since(start).Round(time.Millisecond), err)
	}
}
