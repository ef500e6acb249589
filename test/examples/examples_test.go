// Package examples runs the examples as their READMEs tell.
package examples

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/graft-xds/graft/test/envoytest"
	"github.com/graft-xds/graft/test/grafttest"
)

// folders are the examples: every folder of examples/.
func folders(t *testing.T) []string {
	t.Helper()
	root, err := envoytest.Root()
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(root, "examples", "*"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	return found
}

// TestReadmes holds a README against the script beside it: what it tells the reader to run, the script runs, in this
// order.
func TestReadmes(t *testing.T) {
	for _, dir := range folders(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			told := fences(read(t, filepath.Join(dir, "README.md")))
			if len(told) == 0 {
				t.Fatal("the README tells nothing to run: it needs a fence of sh")
			}
			runs := scripted(read(t, filepath.Join(dir, "run.txtar")))
			for _, command := range told {
				at := slices.Index(runs, command)
				if at < 0 {
					t.Fatalf("run.txtar does not run, or not in this order:\n  %s", command)
				}
				runs = runs[at+1:]
			}
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fences are the commands in the sh fences of a README, without comments and the & of what goes on running.
func fences(readme string) (commands []string) {
	inside := false
	for line := range strings.Lines(readme) {
		if strings.HasPrefix(line, "```") {
			inside = !inside && strings.TrimSpace(line) == "```sh"
			continue
		}
		command, _, _ := strings.Cut(" "+line, " #")
		if command = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(command), "&")); inside && command != "" {
			commands = append(commands, command)
		}
	}
	return commands
}

// scripted are the commands that a script runs, as a README writes them.
func scripted(script string) (commands []string) {
	line := regexp.MustCompile(`(?m)^(?:exec|await '[^']*') (?:bash -c '(.*)'|(.*?))(?: &\w*&?)?$`)
	script, _, _ = strings.Cut(script, "\n-- ")
	for _, found := range line.FindAllStringSubmatch(script, -1) {
		commands = append(commands, found[1]+found[2])
	}
	return commands
}

// TestExamples runs the script of each example with a real Envoy, in a copy of the folder with ports that are free.
func TestExamples(t *testing.T) {
	binary := envoytest.Binary(t, "1.40")
	for _, dir := range folders(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Files:               []string{filepath.Join(dir, "run.txtar")},
				RequireExplicitExec: true,
				Cmds:                map[string]func(*testscript.TestScript, bool, []string){"await": await},
				Setup: func(env *testscript.Env) error {
					env.Setenv("ENVOY", binary)
					return prepare(env, dir)
				},
			})
		})
	}
}

func prepare(env *testscript.Env, dir string) error {
	for _, name := range []string{"PYTHON", "GRAFT_BINARY"} {
		env.Setenv(name, os.Getenv(name))
	}
	env.Setenv("GRAFT_STATE_DIR", env.WorkDir+"/.state")
	settings, err := goSettings()
	if err != nil {
		return err
	}
	env.Vars = append(env.Vars, settings...)
	free, err := envoytest.FreePorts(3 + len(ports()))
	if err != nil {
		return err
	}
	for i, name := range []string{"XDS", "MODULES", "ADMIN"} {
		env.Setenv(name, fmt.Sprintf("127.0.0.1:%d", free[i]))
	}
	var replace []string
	for i, port := range ports() {
		env.Setenv("PORT_"+port, fmt.Sprint(free[3+i]))
		replace = append(replace, ":"+port, fmt.Sprintf(":%d", free[3+i]))
	}
	target := filepath.Join(env.WorkDir, "examples", filepath.Base(dir))
	if err := os.CopyFS(target, os.DirFS(dir)); err != nil {
		return err
	}
	documents, err := filepath.Glob(filepath.Join(target, "*.yaml"))
	if err != nil {
		return err
	}
	for _, path := range documents {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(strings.NewReplacer(replace...).Replace(string(text))), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// await runs a command again and again until its output matches: `await 'hello: melon' curl -i localhost:10000/`.
func await(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) < 2 {
		ts.Fatalf("usage: await PATTERN COMMAND…")
	}
	pattern := regexp.MustCompile(args[0])
	deadline := time.Now().Add(grafttest.Patience)
	for tick := time.Tick(50 * time.Millisecond); ; <-tick {
		err := ts.Exec(args[1], args[2:]...)
		out := ts.ReadFile("stdout")
		if err == nil && pattern.MatchString(out) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("no match for %q: %v\n%s%s", args[0], err, out, ts.ReadFile("stderr"))
		}
	}
}
