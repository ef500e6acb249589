package module

import (
	"cmp"
	"context"
	"io"
	"sync"
	"time"

	"github.com/graft-xds/graft/module/store"
	"github.com/graft-xds/graft/snapshot"
)

// Options say how modules are had. Store must be set.
type Options struct {
	Store     *store.Store
	SizeLimit int64         // bytes of a module; 0 means 256 MiB
	Parallel  int           // modules that are read at once; 0 means 4
	Backoff   time.Duration // before the second try after an error that may pass, doubled for each further one; 0 means 100 ms
}

const (
	defaultSizeLimit = 256 << 20
	defaultParallel  = 4
	defaultBackoff   = 100 * time.Millisecond
	maxBackoff       = 30 * time.Second
	quietTries       = 2 // errors that may pass are not told before that many tries failed
)

// Resolver has modules in hand: it reads those that are wanted, each Ref once, and tells what became of them. Its methods
// may be called from any goroutine.
type Resolver struct {
	options  Options
	asked    chan struct{} // cap 1: wanted has changed
	outcomes chan map[snapshot.Ref]snapshot.Outcome
	slots    chan struct{} // one for each module that may be read at once

	mu     sync.Mutex
	wanted []snapshot.Ref
	held   map[string]*snapshot.Module // by digest: the modules of the outcomes; written by Run only
}

// NewResolver makes a Resolver that does nothing until Run is called.
func NewResolver(o Options) *Resolver {
	o.SizeLimit = cmp.Or(o.SizeLimit, defaultSizeLimit)
	o.Parallel = cmp.Or(o.Parallel, defaultParallel)
	o.Backoff = cmp.Or(o.Backoff, defaultBackoff)
	return &Resolver{
		options:  o,
		asked:    make(chan struct{}, 1),
		outcomes: make(chan map[snapshot.Ref]snapshot.Outcome, 1),
		slots:    make(chan struct{}, o.Parallel),
		held:     map[string]*snapshot.Module{},
	}
}

// Want says which modules are wanted from now on: all of them, whatever was wanted before. It never blocks. What is not
// wanted any more is let go; a Ref that was wanted before and still is keeps its outcome and is not read again.
func (r *Resolver) Want(refs []snapshot.Ref) {
	r.mu.Lock()
	r.wanted = append([]snapshot.Ref(nil), refs...)
	r.mu.Unlock()
	select {
	case r.asked <- struct{}{}:
	default:
	}
}

// Outcomes gives, after each change, what became of every wanted Ref; one that is missing is on its way. A state replaces
// all earlier ones: who reads late gets only the newest. The maps and modules are never changed after they were sent.
func (r *Resolver) Outcomes() <-chan map[snapshot.Ref]snapshot.Outcome { return r.outcomes }

// Open opens a module for reading: from the store, else from memory, where a module is as long as it is wanted; then it puts
// it into the store again. The errors are those of store.Open.
func (r *Resolver) Open(digest string) (io.ReadSeekCloser, error) {
	f, err := r.options.Store.Open(digest)
	if err == nil {
		return f, nil
	}
	if m := r.inHand(digest); m != nil {
		_ = r.options.Store.Put(digest, m.Bytes) // a store that cannot be written is told where modules are taken in
		return inMemory(m.Bytes), nil
	}
	return nil, err
}

func (r *Resolver) inHand(digest string) *snapshot.Module {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held[digest]
}

// Run reads modules until ctx ends; then it waits for what it began and returns nil.
func (r *Resolver) Run(ctx context.Context) error {
	run := &run{Resolver: r, entries: map[snapshot.Ref]*entry{}, results: make(chan result)}
	defer run.reading.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.asked: // other modules are wanted
			run.want(ctx)
		case res := <-run.results: // something became of one of them
			run.accept(res)
		}
	}
}

// run is the state of Run; only its goroutine touches it.
type run struct {
	*Resolver
	entries map[snapshot.Ref]*entry
	results chan result
	reading sync.WaitGroup
}

// entry is one wanted Ref.
type entry struct {
	ref     snapshot.Ref
	stop    context.CancelFunc
	outcome snapshot.Outcome // zero: on its way
}

// result is what a reading goroutine found.
type result struct {
	entry   *entry
	outcome snapshot.Outcome
}

// want starts reading what is wanted newly and lets go what is not wanted any more. In that order: a module that was wanted
// by its path and is now wanted by its digest stays in hand.
func (r *run) want(ctx context.Context) {
	r.mu.Lock()
	refs := r.wanted
	r.mu.Unlock()
	changed := false
	keep := make(map[snapshot.Ref]bool, len(refs))
	for _, ref := range refs {
		keep[ref] = true
		if r.entries[ref] == nil {
			changed = r.start(ctx, ref) || changed
		}
	}
	for ref, e := range r.entries {
		if !keep[ref] {
			e.stop()
			delete(r.entries, ref)
			changed = changed || e.outcome != snapshot.Outcome{}
		}
	}
	if changed {
		r.publish()
	}
}

// start begins to read one module, and says whether it is in hand already.
func (r *run) start(ctx context.Context, ref snapshot.Ref) bool {
	ctx, stop := context.WithCancel(ctx)
	e := &entry{ref: ref, stop: stop}
	r.entries[ref] = e
	if ref.Location == "" {
		if m := r.inHand("sha256:" + ref.SHA256); m != nil {
			e.outcome.Module = m
			return true
		}
	}
	r.reading.Go(func() {
		r.resolve(ctx, ref, func(o snapshot.Outcome) {
			select {
			case r.results <- result{e, o}:
			case <-ctx.Done():
			}
		})
	})
	return false
}

// accept takes a result in, unless its Ref is not wanted any more or it says nothing new.
func (r *run) accept(res result) {
	e := res.entry
	if r.entries[e.ref] != e {
		return
	}
	if m := res.outcome.Module; m != nil {
		if have := r.inHand(m.Digest); have != nil && (have.Path == m.Path || m.Path == "") {
			res.outcome.Module = have // equal bytes are kept once
		}
	}
	if same(e.outcome, res.outcome) {
		return
	}
	e.outcome = res.outcome
	r.publish()
}

func same(a, b snapshot.Outcome) bool {
	if a.Err == nil || b.Err == nil {
		return a == b
	}
	return a.Module == b.Module && *a.Err == *b.Err
}

// publish puts the whole state into the channel, in the place of one that nobody has read yet.
func (r *run) publish() {
	state := make(map[snapshot.Ref]snapshot.Outcome, len(r.entries))
	held := make(map[string]*snapshot.Module, len(r.entries))
	for ref, e := range r.entries {
		if e.outcome == (snapshot.Outcome{}) {
			continue
		}
		state[ref] = e.outcome
		if m := e.outcome.Module; m != nil && (held[m.Digest] == nil || m.Path != "") {
			held[m.Digest] = m
		}
	}
	r.mu.Lock()
	r.held = held
	r.mu.Unlock()
	select {
	case <-r.outcomes:
	default:
	}
	r.outcomes <- state
}
