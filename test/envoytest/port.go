package envoytest

import (
	"fmt"
	"math/rand/v2"
	"net"
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
		l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		held, ports = append(held, l), append(ports, port)
	}
	return ports, nil
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
