// Package sources is the contract of the places where people write configuration, and what they have in common: strict
// decoding and merging.
package sources

import (
	"context"

	"github.com/graft-xds/graft/snapshot"
)

// A Source watches one place where people write configuration.
//
// Run sends the whole Set first and a whole new Set after each change, until ctx ends, and never a part of one: an object
// that cannot be read is in Set.Broken and keeps its last form; what is neither in Documents nor in Broken is gone, and an
// empty Set means that there is nothing. The newest Set replaces all earlier ones, so a slow reader may be handed only the
// newest. Run does not close out; it returns nil when ctx ended, and an error only for what no waiting can mend.
type Source interface {
	Name() string
	Run(ctx context.Context, out chan<- Set) error
}

// Set is everything that one source holds at one moment. It is immutable once sent.
type Set struct {
	Source    string
	Documents []snapshot.Document
	Broken    []snapshot.Broken
}
