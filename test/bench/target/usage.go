package target

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"
)

// Usage is what a process has used so far.
type Usage struct {
	CPU       time.Duration // user and system, of all threads
	RSS       int64         // bytes now
	Peak      int64         // most RSS since the last reset, bytes
	Heap      int64         // bytes of live and dead objects now
	Stacks    int64         // bytes of goroutine stacks now
	Allocated int64         // bytes of all objects ever
	GCs       uint32
	Routines  int
}

// measure tells what this process has used. With settle, garbage is collected and given back to the system first, so that
// RSS and Heap are what is needed and not what was left behind.
func measure(settle bool) (Usage, error) {
	if settle {
		debug.FreeOSMemory()
		debug.FreeOSMemory() // a sync.Pool lets its buffers go only at the second collection
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	u := Usage{
		Heap: int64(memory.HeapAlloc), Stacks: int64(memory.StackInuse), Allocated: int64(memory.TotalAlloc), GCs: memory.NumGC,
		Routines: runtime.NumGoroutine(),
	}
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return u, fmt.Errorf("getrusage: %w", err)
	}
	u.CPU = time.Duration(used.Utime.Nano() + used.Stime.Nano())
	var err error
	if u.RSS, u.Peak, err = resident(); err != nil {
		return u, err
	}
	return u, nil
}

// resident reads VmRSS and VmHWM.
func resident() (rss, peak int64, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, 0, err
	}
	for line := range bytes.Lines(status) {
		fields := bytes.Fields(line)
		if len(fields) < 2 {
			continue
		}
		to := map[string]*int64{"VmRSS:": &rss, "VmHWM:": &peak}[string(fields[0])]
		if to == nil {
			continue
		}
		kilobytes, err := strconv.ParseInt(string(fields[1]), 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("/proc/self/status: %w", err)
		}
		*to = kilobytes << 10
	}
	return rss, peak, nil
}

// resetPeak makes VmHWM begin again at VmRSS; see clear_refs in proc(5).
func resetPeak() error { return os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// watch ends the process when it needs more memory than limit: a server that runs away does not take the machine with it.
func watch(limit int64) {
	for range time.Tick(100 * time.Millisecond) {
		if rss, _, err := resident(); err == nil && rss > limit {
			fmt.Fprintf(os.Stderr, "ended itself: %d MB of memory, limit %d MB\n", rss>>20, limit>>20)
			os.Exit(1)
		}
	}
}
