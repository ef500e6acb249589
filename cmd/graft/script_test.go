package main

import (
	"flag"
	"fmt"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/graft-xds/graft/test/envoytest"
)

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// TestMain lets the scripts call graft in its own process.
func TestMain(m *testing.M) {
	flag.Bool("update", false, "rewrite the expected output of scripts, and the reference of the commands")
	testscript.Main(m, map[string]func(){
		"graft": main,
	})
}

// TestScripts runs every script in testdata: one behaviour a file.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       updating(),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_CONFIG_HOME", env.WorkDir+"/.config")
			env.Setenv("XDG_STATE_HOME", env.WorkDir+"/.state")
			ports, err := envoytest.FreePorts(3)
			if err != nil {
				return err
			}
			for i, name := range []string{"XDS", "MODULES", "ADMIN"} {
				env.Setenv(name, fmt.Sprintf("127.0.0.1:%d", ports[i]))
			}
			return nil
		},
	})
}
