package plane

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ErrInUse means that another process writes to the state directory.
var ErrInUse = errors.New("in use")

// errLocked is what lockFile gives if another process holds the lock.
var errLocked = errors.New("locked")

// lock takes the directory for this process until the file is closed; the system lets go of it when the process dies,
// however it does. The file holds the process id, for whoever comes second.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		defer func() { _ = f.Close() }()
		if errors.Is(err, errLocked) {
			return nil, fmt.Errorf("%w by %s", ErrInUse, holder(path))
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	// Only people read the id, so it does not matter if it cannot be written.
	_ = f.Truncate(0)
	_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return f, nil
}

func holder(path string) string {
	text, _ := os.ReadFile(path)
	if pid := strings.TrimSpace(string(text)); pid != "" {
		return "process " + pid
	}
	return "another process"
}
