package file

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/graft-xds/graft/sources"
	"github.com/graft-xds/graft/sources/sourcetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// folder is a Place: one file for each object, saved as given.
type folder struct {
	dir     string
	options Options
	save    func(path, text string) error
}

func (f folder) Source(*testing.T) sources.Source {
	o := f.options
	o.Paths = []string{f.dir}
	return New(o)
}

func (f folder) Write(t *testing.T, object, text string) {
	t.Helper()
	must(t, f.save(filepath.Join(f.dir, object+".yaml"), text))
}

func (f folder) Delete(t *testing.T, object string) {
	t.Helper()
	must(t, os.Remove(filepath.Join(f.dir, object+".yaml")))
}

func (f folder) WriteBadly(t *testing.T, object string) {
	t.Helper()
	f.Write(t, object, strings.Replace(sourcetest.Filter(object, "x"), "code", "kode", 1))
}

func (folder) CanBeEmpty() bool { return true }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestSource runs the suite over every way of saving, with and without leases and events.
func TestSource(t *testing.T) {
	slow := Options{openForWriting: func(string) (bool, error) { return false, errNoLease }}
	for name, save := range ways() {
		t.Run(name, func(t *testing.T) {
			var o Options
			if strings.Contains(name, "anew") { // a busy machine may take its time between the two steps
				o.grace = time.Second
			}
			sourcetest.Run(t, func(t *testing.T) sourcetest.Place { return folder{dir: t.TempDir(), save: save, options: o} })
		})
	}
	t.Run("without leases", func(t *testing.T) {
		sourcetest.Run(t, func(t *testing.T) sourcetest.Place {
			return folder{dir: t.TempDir(), save: ways()["write and rename"], options: slow}
		})
	})
	t.Run("without events", func(t *testing.T) {
		sourcetest.Run(t, func(t *testing.T) sourcetest.Place {
			return folder{dir: t.TempDir(), save: ways()["in place"], options: Options{unwatched: true, Tick: 10 * time.Millisecond}}
		})
	})
}

// ways are the ways in which people's editors and tools save a file.
func ways() map[string]func(path, text string) error {
	return map[string]func(path, text string) error{
		"in place": func(path, text string) error { return os.WriteFile(path, []byte(text), 0o644) },
		"in place, bit by bit": func(path, text string) error {
			f, err := os.Create(path)
			for i := 0; err == nil && i < len(text); i += 7 {
				_, err = f.WriteString(text[i:min(i+7, len(text))])
			}
			return first(err, f.Close())
		},
		"write and rename": func(path, text string) error {
			temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".x7Qz")
			return first(os.WriteFile(temporary, []byte(text), 0o644), os.Rename(temporary, path))
		},
		"move to a backup and write anew": func(path, text string) error { // vim with backupcopy=no
			if err := os.Rename(path, path+"~"); err != nil && !os.IsNotExist(err) {
				return err
			}
			return os.WriteFile(path, []byte(text), 0o644)
		},
		"remove and write anew": func(path, text string) error {
			if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
				return err
			}
			return os.WriteFile(path, []byte(text), 0o644)
		},
		"with a swap file and a probe": func(path, text string) error { // vim writes 4913 to see whether it may
			dir, swap := filepath.Dir(path), filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".swp")
			probe := filepath.Join(dir, "4913")
			return first(os.WriteFile(swap, []byte("kind: {"), 0o644), os.WriteFile(probe, nil, 0o644), os.Remove(probe),
				os.WriteFile(path, []byte(text), 0o644), os.Remove(swap))
		},
		"symlink to a new file": func(path, text string) error {
			target := fmt.Sprintf("%s.%d", path, time.Now().UnixNano())
			link := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".link")
			return first(os.WriteFile(target, []byte(text), 0o644), os.Symlink(target, link), os.Rename(link, path))
		},
	}
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestIsDocument(t *testing.T) {
	for name, want := range map[string]bool{
		"melon.yaml": true, "melon.yml": true, "melon.json": true, "Melon.YAML": true, "a.b.yaml": true,
		"melon.yaml~": false, ".melon.yaml": false, ".melon.yaml.swp": false, "#melon.yaml#": false, ".#melon.yaml": false,
		"4913": false, "melon.yaml.tmp": false, ".melon.yaml.XyZ123": false, "melon.yaml.bak": false, "melon.yaml.orig": false,
		"melon.yaml.swp": false, "~melon.yaml": false, ".yaml": false, "yaml": false, "": false, "README.md": false, "..data": false,
	} {
		if got := isDocument(name); got != want {
			t.Errorf("isDocument(%q) = %v", name, got)
		}
	}
}
