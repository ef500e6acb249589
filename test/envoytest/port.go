package envoytest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// FreePorts returns n different ports of 127.0.0.1 on which nothing listens. They lie below the range that the kernel gives
// to outgoing connections (32768 and up), so that none of those takes one before its listener does.
func FreePorts(n int) ([]int, error) {
	const first, last = 10240, 32000
	var ports []int
	var held []net.Listener // until all are found, so that they differ
	defer func() {
		for _, l := range held {
			l.Close()
		}
	}()
	for tries := 0; len(ports) < n; tries++ {
		if tries > 100*n {
			return nil, fmt.Errorf("found only %d of %d free ports", len(ports), n)
		}
		port := first + rand.IntN(last-first)
		if !claim(port) {
			continue
		}
		l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		held, ports = append(held, l), append(ports, port)
	}
	return ports, nil
}

// claim takes a port for this process, for as long as it lives: who asks next, here or in another test binary, gets another
// one, although nothing listens on it yet. The descriptor is left open on purpose; it holds the lock.
func claim(port int) bool {
	dir := filepath.Join(os.TempDir(), "graft-test-ports")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return false
	}
	const flags = syscall.O_RDWR | syscall.O_CREAT | syscall.O_CLOEXEC
	fd, err := syscall.Open(filepath.Join(dir, strconv.Itoa(port)), flags, 0o666)
	if err != nil {
		return false
	}
	if err := syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = syscall.Close(fd) // nothing was written
		return false
	}
	return true
}

// Ports is FreePorts for tests.
func Ports(tb testing.TB, n int) []int {
	tb.Helper()
	ports, err := FreePorts(n)
	if err != nil {
		tb.Fatal(err)
	}
	return ports
}
