package envoytest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Versions maps the minor versions that graft supports to the release of each that the tests run. The wheel of 1.38 is not
// among them: it is built without V8.
func Versions() map[string]string {
	return map[string]string{"1.40": "1.40.0", "1.39": "1.39.3", "1.37": "1.37.0"}
}

// Find returns the path of an Envoy of a minor version ("1.40"): what GRAFT_ENVOY_1_40 says, else what test/tools/envoy.sh
// brings into the user's cache folder.
func Find(version string) (string, error) {
	release, ok := Versions()[version]
	if !ok {
		return "", fmt.Errorf("envoy %s: not a version that the tests know", version)
	}
	variable := "GRAFT_ENVOY_" + strings.ReplaceAll(version, ".", "_")
	if path := os.Getenv(variable); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s: %w", variable, err)
		}
		return path, nil
	}
	root, err := Root()
	if err != nil {
		return "", err
	}
	script := filepath.Join(root, "test", "tools", "envoy.sh")
	if _, err := os.Stat(script); err != nil {
		return "", fmt.Errorf("envoy %s: %s is not set, and %w", version, variable, err)
	}
	return Fetch(script, release)
}

// Fetch runs test/tools/envoy.sh and returns the path that it prints: of a release ("1.40.0") if one is given, else of the
// user's own Envoy or the default release.
func Fetch(script string, release ...string) (string, error) {
	cmd := exec.Command(script, release...)
	name := strings.Join(append([]string{filepath.Base(script)}, release...), " ")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(stderr.String()))
	}
	path := strings.TrimSpace(string(out))
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return path, nil
}

// Binary is Find for tests: without an Envoy it fails the test where CI is set, and skips it elsewhere.
func Binary(tb testing.TB, version string) string {
	tb.Helper()
	path, err := Find(version)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") != "":
		tb.Fatalf("no Envoy: %v", err)
	default:
		tb.Skipf("no Envoy: %v", err)
	}
	return ""
}

// Root returns the root folder of graft's source: the nearest folder above the working directory with graft's go.mod.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module github.com/graft-xds/graft\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("not inside graft's source tree")
		}
		dir = parent
	}
}
