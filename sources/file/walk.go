package file

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// walk follows paths as the system does, symlink by symlink, and collects the folders in which something on the way could
// be replaced, and the names that matter there.
type walk struct {
	folders map[string]bool
	names   map[string]bool
	known   map[string]string // folder as written → where it really is; "" if it is not there
}

func newWalk() *walk {
	return &walk{folders: map[string]bool{}, names: map[string]bool{}, known: map[string]string{}}
}

// maxLinks is how many symlinks Linux follows.
const maxLinks = 40

// path walks to a file or a folder.
func (w *walk) path(path string) {
	dir, base := filepath.Split(path)
	if base == "" {
		w.folders[path] = true
		return
	}
	if real := w.folder(filepath.Clean(dir), maxLinks); real != "" {
		w.last(real, base, maxLinks)
	}
}

// folder gives where a folder really is, or "" if it is not there; then its nearest ancestor is watched.
func (w *walk) folder(path string, links int) string {
	if real, ok := w.known[path]; ok {
		return real
	}
	w.known[path] = "" // a symlink that leads to itself leads nowhere
	dir, base := filepath.Split(path)
	if base == "" {
		w.known[path] = path
		return path
	}
	parent := w.folder(filepath.Clean(dir), links)
	if parent == "" {
		return ""
	}
	next := filepath.Join(parent, base)
	info, err := os.Lstat(next)
	real := ""
	switch {
	case err != nil:
		w.note(parent, base)
	case info.Mode()&fs.ModeSymlink != 0:
		w.note(parent, base)
		if target := target(next); target != "" && links > 0 {
			real = w.folder(target, links-1)
		}
	case info.IsDir():
		real = next
	default:
		w.note(parent, base) // a file where a folder belongs
	}
	w.known[path] = real
	return real
}

// last walks the last step: to a file, to a folder that is listed, or to nothing.
func (w *walk) last(parent, base string, links int) {
	w.note(parent, base)
	next := filepath.Join(parent, base)
	info, err := os.Lstat(next)
	switch {
	case err != nil:
	case info.IsDir():
		w.folders[next] = true
	case info.Mode()&fs.ModeSymlink != 0 && links > 0:
		if target := target(next); target != "" {
			dir, base := filepath.Split(target)
			if real := w.folder(filepath.Clean(dir), links-1); real != "" && base != "" {
				w.last(real, base, links-1)
			} else if real != "" {
				w.folders[real] = true
			}
		}
	}
}

func (w *walk) note(folder, name string) {
	w.folders[folder] = true
	w.names[name] = true
}

// target gives where a symlink leads. Its folder must be a real one, so that ".." means what it means to the system.
func target(link string) string {
	to, err := os.Readlink(link)
	if err != nil {
		return ""
	}
	if !filepath.IsAbs(to) {
		to = filepath.Dir(link) + string(filepath.Separator) + strings.TrimSuffix(to, string(filepath.Separator))
	}
	return filepath.Clean(to)
}
