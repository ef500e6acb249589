package file

import (
	"os"
	"path/filepath"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"
)

// watch asks the system to tell of changes. Folders are watched, never files: whoever saves by renaming replaces the file
// and would take the watch along.
type watch struct {
	log     *zap.Logger
	system  *fsnotify.Watcher // nil if there is none: then the tick has to do
	events  chan fsnotify.Event
	errors  chan error
	folders map[string]stamp // that are watched, and which folder it was
	names   map[string]bool  // that matter in them
	failed  bool             // a watch could not be set, and that was logged
}

func newWatch(unwatched bool, log *zap.Logger) *watch {
	w := &watch{log: log, folders: map[string]stamp{}, names: map[string]bool{}}
	if unwatched {
		return w
	}
	system, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn("the system does not tell of changes; files are looked at from time to time", zap.Error(err))
		return w
	}
	w.system, w.events, w.errors = system, system.Events, system.Errors
	return w
}

func (w *watch) close() {
	if w.system != nil {
		_ = w.system.Close()
	}
}

// news is what there is to look at, beside the files that are being written.
type news struct {
	all   bool            // everything
	names map[string]bool // files of these names
}

// news gives what an event, and those that came with it, are about. Most are about nothing: builds write many files
// beside a module, and editors beside a document.
func (w *watch) news(e fsnotify.Event) news {
	out := news{names: map[string]bool{}}
	for {
		if _, ok := w.folders[e.Name]; ok && (e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename)) {
			delete(w.folders, e.Name) // its watch is lost
			out.all = true
		}
		if base := filepath.Base(e.Name); w.names[base] || isDocument(base) {
			out.names[base] = true
		}
		select {
		case e = <-w.events:
		default:
			return out
		}
	}
}

// forget makes the next set watch everything anew, after events were lost.
func (w *watch) forget() {
	for folder := range w.folders {
		_ = w.system.Remove(folder)
	}
	clear(w.folders)
}

// set watches every folder in which a change could change what the paths stand for. It tells whether it watches one that
// it did not watch before.
func (w *watch) set(paths []string) bool {
	if w.system == nil {
		return false
	}
	walk := newWalk()
	for _, path := range paths {
		walk.path(path)
	}
	w.names = walk.names
	for folder := range w.folders {
		if !walk.folders[folder] {
			_ = w.system.Remove(folder)
			delete(w.folders, folder)
		}
	}
	added := false
	for folder := range walk.folders {
		added = w.add(folder) || added
	}
	return added
}

func (w *watch) add(folder string) bool {
	info, err := os.Stat(folder)
	if err != nil {
		return false
	}
	is := stampOf(info).identity()
	if was, ok := w.folders[folder]; ok {
		if was == is {
			return false
		}
		_ = w.system.Remove(folder) // the watch went with the folder that stood here
	}
	if err := w.system.Add(folder); err != nil {
		if !w.failed {
			w.failed = true
			w.log.Warn("watch a folder; it is looked at from time to time", zap.String("folder", folder), zap.Error(err))
		}
		return false
	}
	w.folders[folder] = is
	return true
}
