package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/graft-xds/graft/plane"
)

func newStatus() *cobra.Command {
	var server adminFlags
	var output string
	var watch bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "status [FILTER...]",
		Short: "Print who runs what: each filter, its module and revision, and what the proxies made of it",
		Args:  func(*cobra.Command, []string) error { return nil },
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "" && output != "json" {
				return usageError("json, or leave it out", "--output %q is not known", output)
			}
			if err := server.await(cmd.Context(), wait); err != nil {
				return err
			}
			out, before := cmd.OutOrStdout(), ""
			for {
				var status plane.Status
				if err := server.get(cmd.Context(), "/status", &status); err != nil {
					return err
				}
				text, err := statusText(status, args, output)
				if err != nil {
					return err
				}
				if text != before {
					fmt.Fprint(out, text)
					before = text
				}
				if !watch {
					return nil
				}
				select {
				case <-cmd.Context().Done():
					return nil
				case <-time.After(time.Second):
				}
			}
		},
	}
	server.define(cmd.Flags())
	cmd.Flags().StringVarP(&output, "output", "o", "", "json for scripts")
	cmd.Flags().DurationVar(&wait, "wait", 0, "wait so long for graft to be ready")
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "print again whenever something changes")
	return cmd
}

// statusText prints the chosen filters, or all and everything else.
func statusText(s plane.Status, names []string, output string) (string, error) {
	if err := choose(&s, names); err != nil {
		return "", err
	}
	var out strings.Builder
	if output == "json" {
		encoder := json.NewEncoder(&out)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(s); err != nil {
			return "", fmt.Errorf("status: %w", err)
		}
		return out.String(), nil
	}
	printFilters(&out, s.Filters)
	printRefusals(&out, s)
	if len(names) == 0 {
		for _, p := range s.Problems {
			fmt.Fprintf(&out, "\nproblem: %s: %s\n", p.Where, p.What)
			if p.Hint != "" {
				fmt.Fprintf(&out, "  %s\n", p.Hint)
			}
		}
		fmt.Fprintf(&out, "\n%s connected\n", plural(len(s.Proxies), "proxy", "proxies"))
	}
	return out.String(), nil
}

// choose keeps the named filters; "melon" means "default/melon".
func choose(s *plane.Status, names []string) error {
	if len(names) == 0 {
		return nil
	}
	var kept []plane.FilterStatus
	for _, name := range names {
		full := name
		if !strings.Contains(name, "/") {
			full = "default/" + name
		}
		at := slices.IndexFunc(s.Filters, func(f plane.FilterStatus) bool { return f.Name == full })
		if at < 0 {
			return &failure{code: exitFailed, err: fmt.Errorf("no filter %q", name), hint: "graft status lists all of them"}
		}
		kept = append(kept, s.Filters[at])
	}
	s.Filters = kept
	return nil
}

func printFilters(out io.Writer, filters []plane.FilterStatus) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FILTER\tMODULE\tREVISION\tPROXIES\tACKED\tNACKED\tPENDING\tNOTE")
	for _, f := range filters {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\n", f.Name, shortDigest(f.Module), revisions(f.Revisions),
			f.Targeted, f.Acked, f.Nacked, f.Pending, note(f))
	}
	_ = w.Flush() // a strings.Builder does not fail
}

func printRefusals(out io.Writer, s plane.Status) {
	seen := map[plane.Refusal]bool{}
	show := func(r plane.Refusal) {
		if !seen[r] {
			seen[r] = true
			fmt.Fprintf(out, "\nrefused by %s: %s %s\n  %s\n", r.Proxy, r.Resource, r.Revision, r.Text)
		}
	}
	for _, f := range s.Filters {
		for _, r := range f.Refusals {
			show(r)
		}
	}
	for _, p := range s.Proxies {
		for _, r := range p.Refusals {
			show(r)
		}
	}
}

// note says in a word why the newest form is not in force.
func note(f plane.FilterStatus) string {
	switch {
	case f.Waiting:
		return "waiting for its module"
	case len(f.Problems) > 0 && len(f.Revisions) == 0:
		return "not in force: " + f.Problems[0]
	case len(f.Problems) > 0:
		return "an earlier form is in force: " + f.Problems[0]
	case f.Targeted == 0:
		return "no connected proxy has a slot for it"
	}
	return ""
}

// shortDigest is the digest as people compare it: 12 digits.
func shortDigest(m *plane.ModuleStatus) string {
	if m == nil {
		return "-"
	}
	hex := strings.TrimPrefix(m.Digest, "sha256:")
	return hex[:min(12, len(hex))]
}

func revisions(all []string) string {
	switch len(all) {
	case 0:
		return "-"
	case 1:
		return all[0]
	}
	return fmt.Sprintf("%s (+%d)", all[0], len(all)-1)
}
