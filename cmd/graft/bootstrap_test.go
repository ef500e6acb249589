package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/graft-xds/graft/test/envoytest"
)

// TestBootstrapIsTakenByEnvoy has a real Envoy check each kind of bootstrap.
func TestBootstrapIsTakenByEnvoy(t *testing.T) {
	if testing.Short() {
		t.Skip("an Envoy takes a second for each")
	}
	dir := t.TempDir()
	cert, key := certificate(t, "graft.example")
	for name, text := range map[string]string{"cert.pem": cert, "key.pem": key} {
		write(t, filepath.Join(dir, name), text, 0)
	}
	pair := []string{"--tls-ca", filepath.Join(dir, "cert.pem"), "--tls-cert", filepath.Join(dir, "cert.pem"), "--tls-key", filepath.Join(dir, "key.pem")}
	kinds := map[string][]string{
		"plain":          nil,
		"everything":     {"--node-id", `a "b" \ ü`, "--node-cluster", "c: #d", "--label", `"app=web","zone=""a"""`, "--slots", "declared", "--admin", "[::1]:9901", "--xds", "[::1]:18000"},
		"a name, system": {"--xds", "graft.example:18000", "--tls"},
		"mutual TLS":     append([]string{"--xds", "127.0.0.1:18000", "--tls-server-name", "graft.example"}, pair...),
		"an IP address":  append([]string{"--xds", "127.0.0.1:18000"}, pair...),
	}
	if _, err := os.Stat(systemRoots); err != nil {
		delete(kinds, "a name, system")
	}
	for name, args := range kinds {
		for _, version := range []string{"1.40", "1.37"} {
			t.Run(name+" on "+version, func(t *testing.T) {
				envoy := envoytest.Binary(t, version)
				var out, stderr bytes.Buffer
				if code := run(t.Context(), append([]string{"bootstrap"}, args...), &out, &stderr); code != exitDone {
					t.Fatalf("exit code %d: %s", code, stderr.String())
				}
				path := filepath.Join(t.TempDir(), "envoy.yaml")
				if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
				text, err := exec.CommandContext(t.Context(), envoy, "--mode", "validate", "-c", path, "--log-level", "error").CombinedOutput()
				if err != nil {
					t.Errorf("%v\n%s\n%s", err, text, out.String())
				}
			})
		}
	}
}

func TestBootstrapRefuses(t *testing.T) {
	whole := bootstrapOptions{XDS: "127.0.0.1:18000", Admin: "127.0.0.1:9901", NodeID: "a", NodeCluster: "b", Slots: "chain"}
	for want, change := range map[string]func(*bootstrapOptions){
		`--xds "graft": not host:port`:                                     func(o *bootstrapOptions) { o.XDS = "graft" },
		`--xds ":18000": Envoy needs an address before the port`:           func(o *bootstrapOptions) { o.XDS = ":18000" },
		`--admin "localhost:9901": Envoy needs an address before the port`: func(o *bootstrapOptions) { o.Admin = "localhost:9901" },
		`--admin "127.0.0.1:99999": "99999" is no port`:                    func(o *bootstrapOptions) { o.Admin = "127.0.0.1:99999" },
		`--node-id is empty, and Envoy does not start without`:             func(o *bootstrapOptions) { o.NodeID = "" },
		`--node-cluster is empty, and Envoy does not start without`:        func(o *bootstrapOptions) { o.NodeCluster = "" },
		`--slots "many" is not known`:                                      func(o *bootstrapOptions) { o.Slots = "many" },
		`--tls-cert and --tls-key belong together`:                         func(o *bootstrapOptions) { o.Key = "key.pem" },
	} {
		o := whole
		change(&o)
		_, err := o.render()
		var f *failure
		if err == nil || err.Error() != want || !errors.As(err, &f) || f.code != exitUsage || f.hint == "" {
			t.Errorf("error %v, want %s, exit code 2 and a hint", err, want)
		}
	}
}
