package control

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Now reads the clock that all processes of this machine share and that nobody sets (CLOCK_MONOTONIC), in nanoseconds.
func Now() int64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic(fmt.Sprintf("clock_gettime: %v", err)) // cannot fail with this clock
	}
	return now.Nano()
}
