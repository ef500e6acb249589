// Package sourcetest holds what every source must do. A source's tests call Run with a Place of its own kind.
package sourcetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/sources"
)

// Deadline is how long a Set is waited for.
const Deadline = 10 * time.Second

// Place is where the documents of a source under test are written.
type Place interface {
	Source(t *testing.T) sources.Source      // a new source of this place
	Write(t *testing.T, object, text string) // writes the one document of the object of that name
	Delete(t *testing.T, object string)      // takes it away
	WriteBadly(t *testing.T, object string)  // writes a document of that name that cannot be decoded
	CanBeEmpty() bool                        // whether the place can hold nothing at all
}

// Filter gives the text of a Filter that runs the Lua code.
func Filter(name, code string) string {
	return fmt.Sprintf("apiVersion: graft.dev/v1alpha1\nkind: Filter\nmetadata: {name: %s}\nspec: {lua: {code: %q}}\n", name, code)
}

// Run runs the suite; place makes a new, empty Place.
func Run(t *testing.T, place func(t *testing.T) Place) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, p Place)
	}{
		{"the first Set is whole", firstIsWhole},
		{"every Set is whole", everyIsWhole},
		{"a broken object keeps its key and touches no other", brokenKeepsItsKey},
		{"what was deleted is gone", deletedIsGone},
		{"an empty place is an empty Set", emptyIsASet},
		{"a slow reader gets the newest", newestWins},
		{"Run ends with its context", endsWithContext},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, place(t)) })
	}
}

func firstIsWhole(t *testing.T, p Place) {
	for i := range 20 {
		p.Write(t, fmt.Sprintf("f%02d", i), Filter(fmt.Sprintf("f%02d", i), "x"))
	}
	set := Start(t, p.Source(t)).Next()
	if len(set.Documents) != 20 || len(set.Broken) != 0 {
		t.Errorf("the first Set has %d documents of 20: %s", len(set.Documents), Describe(set))
	}
	if set.Source == "" {
		t.Error("the Set does not say which source it is from")
	}
}

func everyIsWhole(t *testing.T, p Place) {
	p.Write(t, "a", Filter("a", "1"))
	p.Write(t, "b", Filter("b", "1"))
	r := Start(t, p.Source(t))
	r.Await("a=1 b=1")
	p.Write(t, "b", Filter("b", "2"))
	r.AwaitThrough("a=1 b=2", "a=1 b=1")
	p.Write(t, "c", Filter("c", "1"))
	r.AwaitThrough("a=1 b=2 c=1", "a=1 b=2")
}

func brokenKeepsItsKey(t *testing.T, p Place) {
	p.Write(t, "a", Filter("a", "1"))
	p.Write(t, "b", Filter("b", "1"))
	r := Start(t, p.Source(t))
	r.Await("a=1 b=1")
	p.WriteBadly(t, "b")
	set := r.Await("a=1 !b")
	if what := set.Broken[0].Problem.What; what == "" {
		t.Error("the problem says nothing")
	}
	p.Write(t, "b", Filter("b", "2"))
	r.Await("a=1 b=2")
}

func deletedIsGone(t *testing.T, p Place) {
	p.Write(t, "a", Filter("a", "1"))
	p.Write(t, "b", Filter("b", "1"))
	r := Start(t, p.Source(t))
	r.Await("a=1 b=1")
	p.Delete(t, "a")
	r.Await("b=1")
}

func emptyIsASet(t *testing.T, p Place) {
	if !p.CanBeEmpty() {
		t.Skip("the place cannot be empty")
	}
	r := Start(t, p.Source(t))
	r.Await("")
	p.Write(t, "a", Filter("a", "1"))
	r.Await("a=1")
	p.Delete(t, "a")
	r.Await("")
}

func newestWins(t *testing.T, p Place) {
	p.Write(t, "a", Filter("a", "0"))
	r := Start(t, p.Source(t))
	r.Await("a=0")
	for i := range 50 {
		p.Write(t, "a", Filter("a", fmt.Sprint(i+1)))
	}
	r.Await("a=50")
}

func endsWithContext(t *testing.T, p Place) {
	p.Write(t, "a", Filter("a", "1"))
	for _, read := range []bool{true, false} {
		ctx, cancel := context.WithCancel(context.Background())
		out, ended := make(chan sources.Set), make(chan error, 1)
		source := p.Source(t)
		go func() { ended <- source.Run(ctx, out) }()
		if read {
			<-out
		}
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run ended with %v", err)
			}
		case <-time.After(Deadline):
			t.Fatal("Run did not end")
		}
		select {
		case _, open := <-out:
			if !open {
				t.Error("Run closed the channel")
			}
		default:
		}
	}
}

// Reader reads the Sets of a running source.
type Reader struct {
	t   *testing.T
	out chan sources.Set
}

// Start runs a source until the test ends.
func Start(t *testing.T, s sources.Source) *Reader {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, ended := &Reader{t: t, out: make(chan sources.Set)}, make(chan error, 1)
	go func() { ended <- s.Run(ctx, r.out) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return r
}

// Next gives the next Set.
func (r *Reader) Next() sources.Set {
	r.t.Helper()
	select {
	case set := <-r.out:
		return set
	case <-time.After(Deadline):
		r.t.Fatal("no Set came")
		return sources.Set{}
	}
}

// Await reads until a Set is as described.
func (r *Reader) Await(want string) sources.Set {
	r.t.Helper()
	return r.AwaitWhere(want, func(s sources.Set) bool { return Describe(s) == want })
}

// AwaitWhere reads until a Set is as wanted.
func (r *Reader) AwaitWhere(want string, good func(sources.Set) bool) sources.Set {
	r.t.Helper()
	last, deadline := "nothing", time.After(Deadline)
	for {
		select {
		case set := <-r.out:
			if good(set) {
				return set
			}
			last = Describe(set)
		case <-deadline:
			r.t.Fatalf("no Set was %q; the last was %q", want, last)
		}
	}
}

// AwaitThrough reads until a Set is as described, and allows only the other descriptions on the way.
func (r *Reader) AwaitThrough(want string, allowed ...string) sources.Set {
	r.t.Helper()
	return r.AwaitWhere(want, func(s sources.Set) bool {
		is := Describe(s)
		if is != want && !slices.Contains(allowed, is) {
			r.t.Errorf("on the way to %q there was %q", want, is)
		}
		return is == want
	})
}

// Quiet fails if a Set comes before the time has passed.
func (r *Reader) Quiet(d time.Duration) {
	r.t.Helper()
	select {
	case set := <-r.out:
		r.t.Errorf("a Set came: %q", Describe(set))
	case <-time.After(d):
	}
}

// Describe gives a Set in short, sorted by name: a=1 for a Filter a that runs the Lua code 1 (or m.wasm for a module),
// !b for a broken b, and !!f.yaml for a file in which not even a name could be read.
func Describe(set sources.Set) string {
	var parts []string
	for _, d := range set.Documents {
		parts = append(parts, d.Key.Name+"="+runs(d))
	}
	for _, b := range set.Broken {
		if b.Key == (snapshot.Key{}) {
			parts = append(parts, "!!"+b.Problem.Origin.File)
		} else {
			parts = append(parts, "!"+b.Key.Name)
		}
	}
	slices.SortFunc(parts, func(a, b string) int { return strings.Compare(strings.Trim(a, "!"), strings.Trim(b, "!")) })
	return strings.Join(slices.Compact(parts), " ")
}

func runs(d snapshot.Document) string {
	spec := d.Filter.GetSpec()
	if code := spec.GetLua().GetCode(); code != "" {
		return code
	}
	for path, f := range d.Files {
		switch {
		case f.Err != "":
			return "error"
		case f.Data != nil:
			return string(f.Data)
		case path == spec.GetWasm().GetModule():
			return "module"
		}
	}
	return ""
}
