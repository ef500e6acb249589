package envoytest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "envoy")
	if err := os.WriteFile(binary, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, version, variable, want, err string
	}{
		{"named by the variable", "1.39", binary, binary, ""},
		{"variable names nothing", "1.39", binary + "-not", "", "GRAFT_ENVOY_1_39: stat "},
		{"version that is not tested", "1.38", "", "", "envoy 1.38: not a version that the tests know"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("GRAFT_ENVOY_1_39", c.variable)
			got, err := Find(c.version)
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if text := errorText(err); !strings.HasPrefix(text, c.err) || (c.err == "") != (text == "") {
				t.Errorf("error %q, want %q", text, c.err)
			}
		})
	}
}

func TestFetch(t *testing.T) {
	script := filepath.Join(t.TempDir(), "envoy.sh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n[ -n \"$1\" ] && echo no $1 >&2 && exit 1\necho $0\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := Fetch(script); got != script || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := Fetch(script, "1.0"); errorText(err) != "envoy.sh 1.0: exit status 1: no 1.0" {
		t.Errorf("%v", err)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
