package file

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// watched is one file: what is believed to be in it, and what is not believed yet.
type watched struct {
	path string
	keep bool  // the content is wanted, not only the stamp
	most int64 // bytes that are read

	known bool // it was believed once
	stamp stamp
	err   string // why it cannot be read, in plain words
	gone  bool   // it is not there
	data  []byte
	sum   [sha256.Size]byte
	read  time.Time

	waiting bool // something is not believed yet
	seen    stamp
	since   time.Time // that it looks as it does in seen
	first   time.Time // that it differs from what is believed
}

// verdict is what one look at a file found.
type verdict struct {
	changed bool          // what is believed changed
	wait    time.Duration // look again after it; 0: no need
	forced  bool          // patience has ended: it was read although it is open for writing
}

// look looks at the file and believes what can be believed.
func (w *watched) look(now time.Time, o *Options) verdict {
	info, err := os.Stat(w.path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
		return w.missing(now, o.grace)
	case err != nil:
		return w.unreadable(readable(err))
	case info.IsDir():
		return w.unreadable("it is a folder")
	case !info.Mode().IsRegular():
		return w.pipe(info, now)
	}
	is := stampOf(info)
	if w.known && w.err == "" && is == w.stamp && w.read.Sub(info.ModTime()) > racy {
		w.waiting = false
		return verdict{}
	}
	w.differs(is, now)
	return w.settle(info, is, now, o)
}

// differs notes that the file looks otherwise than what is believed.
func (w *watched) differs(is stamp, now time.Time) {
	if !w.waiting {
		w.waiting, w.first, w.seen, w.since = true, now, is, now
	}
	if w.seen != is {
		w.seen, w.since = is, now
	}
}

// missing believes that a file is gone only after a while.
func (w *watched) missing(now time.Time, grace time.Duration) verdict {
	if w.known && w.gone {
		w.waiting = false
		return verdict{}
	}
	w.differs(stamp{}, now)
	if left := grace - now.Sub(w.since); w.known && left > 0 {
		return verdict{wait: left}
	}
	changed := w.unreadable("no such file")
	w.gone = true
	return changed
}

func (w *watched) unreadable(why string) verdict {
	w.waiting = false
	if w.known && w.err == why {
		return verdict{}
	}
	*w = watched{path: w.path, keep: w.keep, most: w.most, known: true, err: why}
	return verdict{changed: true}
}

// pipe reads what is no regular file, once: it will not say the same again.
func (w *watched) pipe(info fs.FileInfo, now time.Time) verdict {
	if w.known && w.err == "" {
		return verdict{}
	}
	next, v := w.take(stampOf(info), now)
	if next != nil {
		v.changed, *w = true, *next
	}
	return v
}

// settle believes the file if it is whole: if nobody has it open for writing, neither before it is read nor after.
func (w *watched) settle(info fs.FileInfo, is stamp, now time.Time, o *Options) verdict {
	waited := now.Sub(w.first)
	writing, err := o.openForWriting(w.path)
	switch {
	case errors.Is(err, errNoLease):
		if left := w.unquiet(info, now); left > 0 {
			return verdict{wait: left}
		}
	case errors.Is(err, fs.ErrNotExist):
		return verdict{wait: time.Millisecond}
	case err != nil:
		return w.unreadable(readable(err))
	case writing && waited < o.Patience:
		return verdict{wait: pause(waited)}
	}
	next, v := w.take(is, now)
	if next == nil {
		return v
	}
	if began, err := o.openForWriting(w.path); err == nil && began && !writing {
		return verdict{wait: pause(waited)}
	}
	v.changed = !w.known || w.err != "" || next.sum != w.sum || !w.keep && next.stamp.String() != w.stamp.String()
	v.forced = v.changed && writing
	*w = *next
	return v
}

// pause is how long to wait for a writer that has been waited for so long already.
func pause(waited time.Duration) time.Duration {
	return min(max(waited/4, time.Millisecond), 50*time.Millisecond)
}

// unquiet is how long the file has to be quiet yet.
func (w *watched) unquiet(info fs.FileInfo, now time.Time) time.Duration {
	need := quiet
	if info.Size() == 0 || w.known && info.Size() < w.stamp.size {
		need = longQuiet
	}
	return need - max(now.Sub(info.ModTime()), now.Sub(w.since))
}

// take reads the file. If it changed meanwhile there is nothing to believe yet.
func (w *watched) take(is stamp, now time.Time) (*watched, verdict) {
	next := &watched{path: w.path, keep: w.keep, most: w.most, known: true, stamp: is, read: now}
	if !w.keep {
		return next, verdict{}
	}
	data, after, err := readFile(w.path, w.most)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && after != is && is.mode.IsRegular():
		return nil, verdict{wait: time.Millisecond}
	case err != nil:
		return nil, w.unreadable(readable(err))
	case int64(len(data)) > w.most:
		return nil, w.unreadable(fmt.Sprintf("it has more than %d MiB", w.most>>20))
	}
	next.data, next.sum = data, sha256.Sum256(data)
	return next, verdict{}
}

// readFile reads up to one byte more than most, and says what stat tells of the file afterwards.
func readFile(path string, most int64) ([]byte, stamp, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, stamp{}, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, stamp{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, stamp{}, err
	}
	return data, stampOf(info), nil
}
