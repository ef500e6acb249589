package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestReference keeps docs/reference/cli.md equal to what the commands say of themselves; -update rewrites it.
func TestReference(t *testing.T) {
	t.Setenv("HOME", "/home/you")
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("GRAFT_ADMIN", "")
	path := filepath.Join("..", "..", "docs", "reference", "cli.md")
	want := cliReference(newRoot())
	if updating() {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/reference/cli.md is not what the commands say (run make generate):\n%s", diff)
	}
}

func cliReference(root *cobra.Command) string {
	var out strings.Builder
	out.WriteString("# Commands\n\n<!-- Made from the commands themselves by make generate. -->\n\n")
	out.WriteString(root.Long + "\n\n")
	out.WriteString("Exit codes: 0 done, 1 failed, 2 wrong usage, 3 invalid input. Data goes to standard output, errors to standard\n")
	out.WriteString("error as `graft: where: what` with a hint on the next line.\n")
	for _, cmd := range root.Commands() {
		if cmd.Hidden || cmd.Name() == "help" {
			continue
		}
		fmt.Fprintf(&out, "\n## %s\n\n```\n%s\n```\n\n", cmd.Name(), cmd.UseLine())
		about := cmd.Long
		if about == "" {
			about = cmd.Short + "."
		}
		out.WriteString(about + "\n")
		if cmd.Example != "" {
			fmt.Fprintf(&out, "\n```sh\n%s\n```\n", strings.ReplaceAll(strings.TrimPrefix(cmd.Example, "  "), "\n  ", "\n"))
		}
		writeFlags(&out, cmd)
	}
	return out.String()
}

func writeFlags(out *strings.Builder, cmd *cobra.Command) {
	if !cmd.HasAvailableLocalFlags() {
		return
	}
	out.WriteString("\n| flag | default | meaning |\n| --- | --- | --- |\n")
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		name := "`--" + f.Name + "`"
		if f.Shorthand != "" {
			name = "`-" + f.Shorthand + "`, " + name
		}
		standard := ""
		if f.DefValue != "" && f.DefValue != "[]" && f.DefValue != "false" {
			standard = "`" + f.DefValue + "`"
		}
		fmt.Fprintf(out, "| %s | %s | %s |\n", name, standard, strings.ReplaceAll(f.Usage, "|", `\|`))
	})
}
