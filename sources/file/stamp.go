package file

import (
	"fmt"
	"io/fs"
)

// stamp is what stat tells of a file. It changes whenever the file does, but for two changes of one size within one tick
// of the file system's clock.
type stamp struct {
	dev, ino           uint64
	size, mtime, ctime int64
	mode               fs.FileMode
}

// String gives the stamp without the device, whose number may change when the machine starts again. Neither does ctime
// belong to it: it changes with the permissions.
func (s stamp) String() string { return fmt.Sprintf("%d-%d-%d", s.size, s.mtime, s.ino) }

// identity is what stays while a file or a folder changes.
func (s stamp) identity() stamp { return stamp{dev: s.dev, ino: s.ino} }
