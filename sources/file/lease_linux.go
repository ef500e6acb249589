package file

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openForWriting tells whether anybody has the file open for writing. A read lease (fcntl(2), F_SETLEASE) is granted only
// if nobody has, so one is taken and given back at once; who opens the file for writing in between waits for no longer
// than that. Where leases cannot be had, for files of others and on some file systems, it gives errNoLease.
//
// A broken lease is told by SIGIO, which Go's runtime ignores.
func openForWriting(path string) (bool, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	switch {
	case errors.Is(err, unix.EAGAIN):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("%w: %w", errNoLease, err)
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK); err != nil {
		return false, fmt.Errorf("give a lease back: %w", err) // closing gives it back as well
	}
	return false, nil
}
