// Package file reads documents from files and folders and follows them, however people save.
package file

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"go.uber.org/zap"

	"github.com/graft-xds/graft/sources"
)

// Options say what is read and how patiently.
type Options struct {
	// Paths are files and folders. Of a folder the files that end in .yaml, .yml or .json are read, not its subfolders.
	Paths []string
	// Logger may be nil.
	Logger *zap.Logger
	// Tick is how often everything is looked at again, in case a watch was lost. Default 10s.
	Tick time.Duration
	// Patience is how long a file that somebody keeps open for writing is waited for before it is read all the same.
	// Default 30s.
	Patience time.Duration

	// Seams for tests.
	openForWriting func(path string) (bool, error) // default: the system's
	unwatched      bool                            // nothing tells of changes but Tick
	grace          time.Duration                   // default: as below
}

const (
	name        = "file"
	grace       = 250 * time.Millisecond // until a file that is not there is gone: editors move it away before they write the new one
	quiet       = 20 * time.Millisecond  // without change, where nobody can tell whether a file is open for writing
	longQuiet   = 200 * time.Millisecond // the same for a file that became shorter, as a file does that is written anew
	firstWait   = time.Second            // for files that are being written when the source starts
	racy        = 50 * time.Millisecond  // changes within one tick of the file system's clock look alike
	maxAttached = 1 << 20                // bytes of a script or a certificate
)

// Source follows files and folders. Make it with New and run it once.
type Source struct {
	options Options
	log     *zap.Logger
}

// New makes a source; nothing is read before Run.
func New(o Options) *Source {
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Tick <= 0 {
		o.Tick = 10 * time.Second
	}
	if o.Patience <= 0 {
		o.Patience = 30 * time.Second
	}
	if o.grace <= 0 {
		o.grace = grace
	}
	if o.openForWriting == nil {
		o.openForWriting = openForWriting
	}
	return &Source{options: o, log: o.Logger}
}

// Name is "file".
func (s *Source) Name() string { return name }

// Run sends what the files hold, and again after each change. It fails only if the schema itself cannot be compiled or a
// path cannot be made absolute; files that cannot be read are problems in the Set.
func (s *Source) Run(ctx context.Context, out chan<- sources.Set) error {
	decoder, err := sources.NewDecoder()
	if err != nil {
		return err
	}
	tree, err := newTree(s.options, decoder, s.log)
	if err != nil {
		return err
	}
	watch := newWatch(s.options.unwatched, s.log)
	defer watch.close()
	return s.follow(ctx, out, tree, watch)
}

// follow is the loop: something happened, look at it, hand over what came out. What can happen: an event of the
// file system, the slow tick, the time to look again at a file that is being written, and a reader for the newest Set.
func (s *Source) follow(ctx context.Context, out chan<- sources.Set, tree *tree, watch *watch) error {
	tick := time.NewTicker(s.options.Tick)
	defer tick.Stop()
	again := time.NewTimer(0)
	defer again.Stop()
	began := time.Now()
	var send chan<- sources.Set // nil while there is nothing new
	var set sources.Set
	sent := ""
	for {
		var news news
		select {
		case <-ctx.Done():
			return nil
		case send <- set:
			send = nil
			continue
		case event := <-watch.events:
			news = watch.news(event)
		case err := <-watch.errors:
			s.log.Warn("watch files", zap.Error(err))
			watch.forget()
			news.all = true
		case <-tick.C:
			news.all = true
		case <-again.C:
			news.all = sent == "" // else only what is being written
		}
		wait, steady := s.look(tree, watch, news)
		if wait > 0 {
			again.Reset(wait)
		}
		if !steady || !tree.changed || sent == "" && tree.unread() && time.Since(began) < firstWait {
			continue // the first Set is whole, too
		}
		tree.changed = false
		if newest, sum := tree.set(); sum != sent {
			sent, set, send = sum, newest, out
		}
	}
}

// look reads what changed and sees to it that the next change will be noticed. It gives the time after which to look
// again, 0 if there is no need, and whether what was read belongs together.
func (s *Source) look(tree *tree, watch *watch, news news) (wait time.Duration, steady bool) {
	for range 5 {
		wait := tree.look(time.Now(), news)
		// What happened before a watch was set is not told, so look again after setting one. And who swaps a symlink
		// swaps several files at once: if any differ now, some may have been read before the swap, some after it.
		if !watch.set(tree.paths()) && tree.steady() {
			return wait, true
		}
		news.all = true
	}
	return time.Millisecond, false
}

var _ sources.Source = (*Source)(nil)

// readable is an error of the system without the path, which stands beside it anyway.
func readable(err error) string {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return err.Error()
}
