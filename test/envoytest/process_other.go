//go:build !linux

package envoytest

import "os/exec"

// Only Linux can tie a child to its parent; elsewhere a killed test leaves its Envoy behind.
func dieWithParent(*exec.Cmd) {}
