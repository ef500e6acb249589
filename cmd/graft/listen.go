package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// checkAddress says whether addr is host:port.
func checkAddress(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return errors.New("not host:port")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%q is no port", port)
	}
	return nil
}

// listen opens a TCP listener; the error says which setting to change.
func listen(setting, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &failure{
			code: exitFailed,
			err:  fmt.Errorf("--%s %s: the port is in use", setting, addr),
			hint: fmt.Sprintf("is another graft running? stop it, or choose another address with --%s", setting),
		}
	}
	if err != nil {
		return nil, &failure{code: exitFailed, err: fmt.Errorf("--%s %s: %w", setting, addr, err)}
	}
	return l, nil
}
