package module

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/graft-xds/graft/snapshot"
)

var (
	errChanged  = errors.New("it changes while it is read")
	errNoFile   = errors.New("not a regular file")
	errTooLarge = errors.New("too large")
)

// readFile reads a module from disk. The error of a file that is larger than limit is errTooLarge, and nothing of it was
// read; that of a file that somebody wrote to meanwhile is errChanged.
func readFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path) // before it is opened: to open a named pipe would wait for its writer
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readUnchanged(f, limit)
}

// file is what reading needs of an *os.File.
type file interface {
	io.Reader
	Stat() (fs.FileInfo, error)
}

func readUnchanged(f file, limit int64) ([]byte, error) {
	before, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if before.Size() > limit {
		return nil, fmt.Errorf("%w: %s; the limit is %s", errTooLarge, mebibytes(before.Size()), mebibytes(limit))
	}
	data := make([]byte, before.Size())
	if n, err := io.ReadFull(f, data); errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) && n < len(data) {
		return nil, errChanged
	} else if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	after, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		return nil, errChanged
	}
	return data, nil
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// unreadable says why a file could not be read, and whether that may pass by itself.
func unreadable(path string, err error) (_ snapshot.Outcome, again bool) {
	at := "module " + path
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return failure(CodeMissing, at+" does not exist", "build it, or correct the path; a relative path begins at the folder of the document"), false
	case errors.Is(err, fs.ErrPermission):
		return failure(CodeUnreadable, at+" may not be read", "let graft's user read it: chmod a+r, and a+x on its folders"), false
	case errors.Is(err, errNoFile):
		return failure(CodeUnreadable, at+" is not a file", "name the .wasm file itself"), false
	case errors.Is(err, errTooLarge):
		return failure(CodeTooLarge, fmt.Sprintf("%s is %v", at, err), "strip its debug data, or raise the size limit"), false
	case errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, fs.ErrInvalid):
		return failure(CodeUnreadable, fmt.Sprintf("%s: %v", at, cause(err)), "correct the path"), false
	}
	return failure(CodeUnreadable, fmt.Sprintf("%s: %v", at, cause(err)), "it is tried again"), true
}

// cause takes off what os adds: the operation and the path, which the text has already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// memoryFile is a module that is served from memory.
type memoryFile struct{ *bytes.Reader }

func inMemory(data []byte) memoryFile { return memoryFile{bytes.NewReader(data)} }

// Close does nothing.
func (memoryFile) Close() error { return nil }
