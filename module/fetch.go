package module

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/graft-xds/graft/module/store"
	"github.com/graft-xds/graft/snapshot"
)

// resolve reads one module, tells what became of it, and then notes where it was found: nobody waits for the note.
func (r *Resolver) resolve(ctx context.Context, ref snapshot.Ref, tell func(snapshot.Outcome)) {
	var last snapshot.Outcome
	try := func() (_ snapshot.Outcome, again bool) {
		last, again = r.try(ctx, ref)
		return last, again
	}
	retry(ctx, r.options.Backoff, try, tell)
	if ref.Location == "" || last.Module == nil || last.Err != nil {
		return
	}
	remember := func() (_ snapshot.Outcome, again bool) {
		if err := r.options.Store.Remember(ref.Location, last.Module.Digest); err != nil {
			return snapshot.Outcome{Module: last.Module, Err: notStored(ref, err)}, true
		}
		return last, false
	}
	retry(ctx, r.options.Backoff, remember, tell)
}

// retry tries and tells. After an error that may pass it tries again, with longer and longer pauses, until ctx ends; such an
// error is told only when it has lasted for a few tries, unless there is a module to use meanwhile.
func retry(ctx context.Context, pause time.Duration, try func() (_ snapshot.Outcome, again bool), tell func(snapshot.Outcome)) {
	for n := 1; ctx.Err() == nil; n++ {
		outcome, again := try()
		if !again || outcome.Module != nil || n > quietTries {
			tell(outcome)
		}
		if !again {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, maxBackoff)
	}
}

// try reads one module once, and says whether it should be tried again.
func (r *Resolver) try(ctx context.Context, ref snapshot.Ref) (_ snapshot.Outcome, again bool) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return snapshot.Outcome{}, true
	}
	switch scheme, _, _ := strings.Cut(ref.Location, "://"); {
	case ref.Location == "":
		return r.fromStore(ref)
	case scheme != ref.Location:
		return failure(CodeUnsupported, fmt.Sprintf("module %s: fetching by %s:// is not supported yet", withoutPassword(ref.Location), scheme),
			"fetch it yourself and give the path of the file"), false
	}
	return r.fromFile(ref)
}

func withoutPassword(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return "at a malformed address"
	}
	return u.Redacted()
}

func failure(code snapshot.Code, what, hint string) snapshot.Outcome {
	return snapshot.Outcome{Err: &snapshot.ModuleError{Code: code, What: what, Hint: hint}}
}

// fromFile reads a module from the file system of this machine.
func (r *Resolver) fromFile(ref snapshot.Ref) (_ snapshot.Outcome, again bool) {
	data, err := readFile(ref.Location, r.options.SizeLimit)
	if err != nil {
		outcome, again := unreadable(ref.Location, err)
		if ref.Stamp == "" { // nobody has seen the file since graft started: what it held before is the last good
			outcome.Module = r.remembered(ref)
		}
		return outcome, again
	}
	outcome := r.take(ref, data)
	return outcome, outcome.Module != nil && outcome.Err != nil
}

// take verifies, inspects and stores the bytes that a Ref led to.
func (r *Resolver) take(ref snapshot.Ref, data []byte) snapshot.Outcome {
	digest := store.Digest(data)
	if pin := "sha256:" + ref.SHA256; ref.SHA256 != "" && pin != digest {
		return failure(CodeDigest, fmt.Sprintf("module %s: its digest is %s, and %s is pinned", ref.Location, digest, pin),
			"restore the file that was pinned, or pin the new one")
	}
	m := r.inHand(digest)
	if m != nil && m.Path != "" {
		return snapshot.Outcome{Module: m}
	}
	if m == nil {
		abi, err := inspect(data)
		if err != nil {
			err.What = "module " + name(ref) + ": " + err.What
			return snapshot.Outcome{Err: err}
		}
		m = &snapshot.Module{Digest: digest, Bytes: data, ABI: abi}
	}
	if err := r.options.Store.Put(digest, m.Bytes); err != nil {
		return snapshot.Outcome{Module: m, Err: notStored(ref, err)}
	}
	return snapshot.Outcome{Module: &snapshot.Module{Digest: digest, Bytes: m.Bytes, ABI: m.ABI, Path: r.options.Store.Path(digest)}}
}

func inspect(data []byte) (abi string, _ *snapshot.ModuleError) {
	i, err := Inspect(data)
	if err == nil {
		err = i.Check()
	}
	var e *snapshot.ModuleError
	if errors.As(err, &e) {
		return "", e
	}
	return i.ABI, nil
}

// name is how errors call a module.
func name(ref snapshot.Ref) string {
	if ref.Location == "" {
		return "sha256:" + ref.SHA256
	}
	return ref.Location
}

func notStored(ref snapshot.Ref, err error) *snapshot.ModuleError {
	return &snapshot.ModuleError{
		Code: CodeStore,
		What: fmt.Sprintf("module %s: in use, but it cannot be kept: %v", name(ref), err),
		Hint: "make room in the state folder, or let graft's user write there",
	}
}

// fromStore has a module of which only the digest is known: one that was in force before.
func (r *Resolver) fromStore(ref snapshot.Ref) (_ snapshot.Outcome, again bool) {
	digest := "sha256:" + ref.SHA256
	m, err := r.stored(digest)
	var refusal *snapshot.ModuleError
	switch {
	case err == nil:
		return snapshot.Outcome{Module: m}, false
	case errors.As(err, &refusal):
		return failure(refusal.Code, "module "+digest+": "+refusal.What, refusal.Hint), false
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrCorrupt), errors.Is(err, store.ErrDigest):
		return failure(CodeLost, fmt.Sprintf("%v", err), "the filter comes back when its module is at its place again"), false
	}
	return failure(CodeLost, fmt.Sprintf("%v", err), "let graft's user read the state folder"), true
}

// remembered is the module that a location held before, if it is still there and is what the Ref pins.
func (r *Resolver) remembered(ref snapshot.Ref) *snapshot.Module {
	digest := "sha256:" + ref.SHA256
	if ref.SHA256 == "" {
		var err error
		if digest, err = r.options.Store.Recall(ref.Location); err != nil {
			return nil
		}
	}
	m, err := r.stored(digest)
	if err != nil {
		return nil
	}
	return m
}

// stored has a module out of the store. It is inspected again: what a newer graft knows to be harmful is not brought back.
func (r *Resolver) stored(digest string) (*snapshot.Module, error) {
	if m := r.inHand(digest); m != nil {
		return m, nil
	}
	data, err := r.options.Store.Read(digest)
	if err != nil {
		return nil, err
	}
	abi, refusal := inspect(data)
	if refusal != nil {
		return nil, refusal
	}
	return &snapshot.Module{Digest: digest, Bytes: data, ABI: abi, Path: r.options.Store.Path(digest)}, nil
}
