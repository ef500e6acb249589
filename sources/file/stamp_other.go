//go:build !linux

package file

import "io/fs"

// stampOf gives what stat tells of a file.
func stampOf(info fs.FileInfo) stamp {
	return stamp{size: info.Size(), mtime: info.ModTime().UnixNano(), mode: info.Mode()}
}
