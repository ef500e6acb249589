package xds

import (
	"crypto/rand"
	"crypto/tls"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/graft-xds/graft/snapshot"
)

// Options configure a Server. The zero value serves plaintext and forgets its verdicts when it ends.
type Options struct {
	Logger *zap.Logger // nil: nothing is logged
	TLS    *tls.Config // nil: plaintext
	Ledger Ledger      // nil: verdicts end with the process

	// Restamp makes the bytes of a good content unique again after a restart, when only its bytes are left; see Good.
	// nil: a slot whose last content an earlier process knew is not mended before the next edit.
	Restamp func(slot string, good Good, attempt string) (*snapshot.Resource, error)

	Grace            time.Duration // how long a stop waits for streams to end; 0 means 5 s
	Patience         time.Duration // how long a response without an answer holds back other types; 0 means 30 s
	FetchWait        time.Duration // how long a proxy may take to fetch a module before it gets it inline; 0 means 30 s
	MaxConnectionAge time.Duration // connections are closed, with jitter, at about this age; 0: never
	MaxNames         int           // names that one stream may subscribe to, all types together; 0 means 50,000

	// Incarnation is unique to this process: it makes bytes unique that an earlier process may have sent already. Empty:
	// random.
	Incarnation string
	Clock       Clock // nil: the system's
}

// Clock is the time, for tests to turn.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f in its own goroutine after d; stop keeps it from being called if it is not too late.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Incarnation == "" {
		o.Incarnation = strings.ToLower(rand.Text()[:8])
	}
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	for value, standard := range map[*time.Duration]time.Duration{
		&o.Grace: 5 * time.Second, &o.Patience: 30 * time.Second, &o.FetchWait: 30 * time.Second,
	} {
		if *value == 0 {
			*value = standard
		}
	}
	if o.MaxNames == 0 {
		o.MaxNames = 50_000
	}
	return o
}
