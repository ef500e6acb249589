//go:build !linux

package file

// openForWriting gives errNoLease: only Linux can tell.
func openForWriting(string) (bool, error) { return false, errNoLease }
