package file

import "errors"

// errNoLease means that nobody can tell whether a file is open for writing.
var errNoLease = errors.New("no lease")
