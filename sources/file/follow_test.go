package file

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/graft-xds/graft/sources"
	"github.com/graft-xds/graft/sources/sourcetest"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(text), 0o644))
}

func start(t *testing.T, paths ...string) *sourcetest.Reader {
	t.Helper()
	return sourcetest.Start(t, New(Options{Paths: paths, Tick: time.Hour})) // events only
}

// A folder mounted from a ConfigMap: the files are links through ..data, and an update swaps ..data for all of them.
func TestConfigMap(t *testing.T) {
	dir := t.TempDir()
	version := func(n int) {
		folder := fmt.Sprintf("..2026_%d", n)
		for _, name := range []string{"a", "b", "c"} {
			write(t, filepath.Join(dir, folder, name+".yaml"), sourcetest.Filter(name, fmt.Sprint(n)))
		}
		must(t, os.Symlink(folder, filepath.Join(dir, "..data_tmp")))
		must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
		if n > 0 {
			must(t, os.RemoveAll(filepath.Join(dir, fmt.Sprintf("..2026_%d", n-1))))
		}
	}
	version(0)
	for _, name := range []string{"a", "b", "c"} {
		must(t, os.Symlink("..data/"+name+".yaml", filepath.Join(dir, name+".yaml")))
	}
	r := start(t, dir)
	r.Await("a=0 b=0 c=0")
	for n := 1; n <= 20; n++ {
		version(n)
		was, is := fmt.Sprintf("a=%d b=%d c=%d", n-1, n-1, n-1), fmt.Sprintf("a=%d b=%d c=%d", n, n, n)
		r.AwaitThrough(is, was)
	}
}

// A file that becomes a symlink is followed to where it leads.
func TestBecomesASymlink(t *testing.T) {
	dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "deep", "x.yaml")
	write(t, filepath.Join(dir, "a.yaml"), sourcetest.Filter("a", "1"))
	r := start(t, dir)
	r.Await("a=1")
	write(t, elsewhere, sourcetest.Filter("a", "2"))
	must(t, os.Symlink(elsewhere, filepath.Join(dir, ".link")))
	must(t, os.Rename(filepath.Join(dir, ".link"), filepath.Join(dir, "a.yaml")))
	r.AwaitThrough("a=2")
	write(t, elsewhere, sourcetest.Filter("a", "3"))
	r.AwaitThrough("a=3")
}

// One file of such a mount.
func TestConfigMapFile(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "..1", "a.yaml"), sourcetest.Filter("a", "1"))
	write(t, filepath.Join(dir, "..2", "a.yaml"), sourcetest.Filter("a", "2"))
	must(t, os.Symlink("..1", filepath.Join(dir, "..data")))
	must(t, os.Symlink("..data/a.yaml", filepath.Join(dir, "a.yaml")))
	r := start(t, filepath.Join(dir, "a.yaml"))
	r.Await("a=1")
	must(t, os.Symlink("..2", filepath.Join(dir, "..tmp")))
	must(t, os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")))
	r.AwaitThrough("a=2")
}

func TestAppearsLater(t *testing.T) {
	for name, root := range map[string]string{"folder": "x/y/conf", "file": "x/y/conf/a.yaml"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, root)
			r := start(t, path)
			set := r.Await("!!" + path)
			if p := set.Broken[0].Problem; p.Error() != path+": no such file or folder" || p.Hint == "" {
				t.Errorf("problem: %v, hint %q", p, p.Hint)
			}
			write(t, filepath.Join(dir, "x/y/conf/a.yaml"), sourcetest.Filter("a", "1"))
			r.Await("a=1")
		})
	}
}

func TestDeletedAndMadeAgain(t *testing.T) {
	for name, root := range map[string]string{"folder": "conf", "file": "conf/a.yaml"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file, path := filepath.Join(dir, "conf/a.yaml"), filepath.Join(dir, root)
			write(t, file, sourcetest.Filter("a", "1"))
			r := start(t, path)
			r.Await("a=1")
			for n := 2; n < 5; n++ {
				must(t, os.RemoveAll(filepath.Join(dir, "conf")))
				set := r.AwaitWhere("gone", func(s sources.Set) bool { return len(s.Documents) == 0 && len(s.Broken) == 1 })
				if b := set.Broken[0]; b.Key.Kind != "Path" || !strings.Contains(b.Problem.What, "deleted") {
					t.Errorf("broken: %+v", b)
				}
				write(t, file, sourcetest.Filter("a", fmt.Sprint(n)))
				r.Await(fmt.Sprintf("a=%d", n))
			}
		})
	}
}

// A folder that is swapped for another at once never looks deleted.
func TestFolderSwapped(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "conf")
	write(t, filepath.Join(conf, "a.yaml"), sourcetest.Filter("a", "0"))
	r := start(t, conf)
	r.Await("a=0")
	for n := 1; n < 10; n++ {
		next := filepath.Join(dir, "next")
		write(t, filepath.Join(next, "a.yaml"), sourcetest.Filter("a", fmt.Sprint(n)))
		must(t, os.Rename(conf, filepath.Join(dir, fmt.Sprintf("old%d", n))))
		must(t, os.Rename(next, conf))
		r.AwaitThrough(fmt.Sprintf("a=%d", n), fmt.Sprintf("a=%d", n-1))
	}
}

// A renamed file is not there twice, not even for a moment.
func TestRename(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.yaml"), sourcetest.Filter("x", "1"))
	r := start(t, dir)
	r.Await("x=1")
	must(t, os.Rename(filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml")))
	set := r.AwaitThrough("x=1")
	if got := set.Documents[0].Origin.File; got != filepath.Join(dir, "b.yaml") {
		t.Errorf("it is in %s", got)
	}
}

// What somebody is still writing is not believed, however long it takes and whatever it looks like meanwhile.
func TestHalfWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.yaml")
	write(t, path, sourcetest.Filter("a", "1")+"---\n"+sourcetest.Filter("b", "1"))
	r := start(t, dir)
	r.Await("a=1 b=1")
	f, err := os.Create(path)
	must(t, err)
	r.Quiet(250 * time.Millisecond) // empty
	_, err = f.WriteString(sourcetest.Filter("a", "2"))
	must(t, err)
	r.Quiet(250 * time.Millisecond) // whole documents, but not all
	_, err = f.WriteString("---\n" + sourcetest.Filter("b", "2"))
	must(t, err)
	must(t, f.Close())
	r.AwaitThrough("a=2 b=2")
}

// The same where leases cannot be had: then it is a matter of time.
func TestHalfWrittenWithoutLeases(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	write(t, path, sourcetest.Filter("a", "1"))
	r := sourcetest.Start(t, New(Options{Paths: []string{path}, Tick: time.Hour, openForWriting: func(string) (bool, error) { return false, errNoLease }}))
	r.Await("a=1")
	f, err := os.Create(path)
	must(t, err)
	r.Quiet(longQuiet / 2)
	_, err = f.WriteString(sourcetest.Filter("a", "2"))
	must(t, err)
	must(t, f.Close())
	r.AwaitThrough("a=2")
}

// A writer that never closes is waited for, but not for ever.
func TestPatience(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	write(t, path, sourcetest.Filter("a", "1"))
	r := sourcetest.Start(t, New(Options{Paths: []string{path}, Tick: time.Hour, Patience: 100 * time.Millisecond}))
	r.Await("a=1")
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	defer f.Close()
	_, err = f.WriteString(sourcetest.Filter("a", "2"))
	must(t, err)
	r.AwaitThrough("a=2")
}

// A file that is being written when graft starts belongs to the first Set.
func TestWrittenAtStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	f, err := os.Create(path)
	must(t, err)
	r := start(t, path)
	r.Quiet(50 * time.Millisecond)
	_, err = f.WriteString(sourcetest.Filter("a", "1"))
	must(t, err)
	must(t, f.Close())
	if got := sourcetest.Describe(r.Next()); got != "a=1" {
		t.Errorf("the first Set is %q", got)
	}
}

func TestSyntaxErrorKeepsTheFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.yaml")
	write(t, path, sourcetest.Filter("a", "1"))
	write(t, filepath.Join(dir, "b.yaml"), sourcetest.Filter("b", "1"))
	r := start(t, dir)
	r.Await("a=1 b=1")
	write(t, path, "kind: {")
	r.AwaitThrough("!!" + path + " b=1")
	write(t, path, sourcetest.Filter("a", "2"))
	r.AwaitThrough("a=2 b=1")
}

func TestUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	path := filepath.Join(t.TempDir(), "a.yaml")
	write(t, path, sourcetest.Filter("a", "1"))
	r := start(t, path)
	r.Await("a=1")
	must(t, os.Chmod(path, 0))
	if what := r.Await("!!" + path).Broken[0].Problem.What; what != "permission denied" {
		t.Errorf("the problem is %q", what)
	}
	must(t, os.Chmod(path, 0o600))
	r.Await("a=1")
}

// Touching a file, or saving the same again, is no change.
func TestNothingNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	write(t, path, sourcetest.Filter("a", "1"))
	r := start(t, path)
	r.Await("a=1")
	write(t, path, sourcetest.Filter("a", "1"))
	must(t, os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)))
	r.Quiet(300 * time.Millisecond)
}

// One file under two paths is read once.
func TestOverlappingPaths(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.yaml"), sourcetest.Filter("a", "1"))
	write(t, filepath.Join(dir, "sub", "b.yaml"), sourcetest.Filter("b", "1")) // folders are read one level deep
	write(t, filepath.Join(dir, "a.yaml~"), "kind: {")
	start(t, filepath.Join(dir, "a.yaml"), dir).Await("a=1")
}

// Origins show paths as the user gave them.
func TestOriginIsAsGiven(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "conf/a.yaml", sourcetest.Filter("a", "1"))
	for given, want := range map[string]string{"conf": "conf/a.yaml", "./conf/": "conf/a.yaml", "conf/a.yaml": "conf/a.yaml"} {
		if got := start(t, given).Next().Documents[0].Origin.File; got != want {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
}
