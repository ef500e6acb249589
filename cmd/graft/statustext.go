package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/snapshot"
)

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
	if !s.Ready {
		fmt.Fprintf(&out, "not ready: the configuration has not been read yet; %s connected\n", plural(len(s.Proxies), "proxy", "proxies"))
		return out.String(), nil
	}
	printFilters(&out, s.Filters)
	printRefusals(&out, s, len(names) == 0)
	if len(names) == 0 {
		for _, p := range s.Problems {
			fmt.Fprintf(&out, "\n%s: %s\n", severity(snapshot.Code(p.Code)), place(p))
			if p.Hint != "" {
				fmt.Fprintf(&out, "  %s\n", p.Hint)
			}
		}
		fmt.Fprintf(&out, "\n%s connected\n", plural(len(s.Proxies), "proxy", "proxies"))
	}
	return out.String(), nil
}

func place(p plane.Problem) string {
	if p.Where == "" {
		return p.What
	}
	return p.Where + ": " + p.What
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
	if len(filters) == 0 {
		fmt.Fprintln(out, "no filters")
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FILTER\tMODULE\tREVISION\tPROXIES\tACKED\tNACKED\tPENDING\tNOTE")
	for _, f := range filters {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\n", f.Name, moduleDigest(f.Module), revisions(f.Revisions),
			f.Targeted, f.Acked, f.Nacked, f.Pending, note(f))
	}
	_ = w.Flush() // a strings.Builder does not fail
}

// printRefusals prints each text of Envoy once, with the proxies that said it: one mistake is often refused by all.
func printRefusals(out io.Writer, s plane.Status, all bool) {
	type said struct{ resource, revision, text string }
	var order []said
	by := map[said][]string{}
	show := func(r plane.Refusal) {
		key := said{r.Resource, shortened(r.Revision), r.Text}
		if by[key] == nil {
			order = append(order, key)
		}
		if !slices.Contains(by[key], r.Proxy) {
			by[key] = append(by[key], r.Proxy)
		}
	}
	for _, f := range s.Filters {
		for _, r := range f.Refusals {
			show(r)
		}
	}
	if all {
		for _, p := range s.Proxies {
			for _, r := range p.Refusals {
				show(r)
			}
		}
	}
	for _, key := range order {
		fmt.Fprintf(out, "\nrefused by %s: %s %s\n  %s\n", several(by[key]), key.resource, key.revision,
			strings.ReplaceAll(strings.TrimSpace(key.text), "\n", "\n  "))
	}
}

// several names the first few.
func several(names []string) string {
	const shown = 3
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

// note says in a few words why not every proxy runs the newest form.
func note(f plane.FilterStatus) string {
	switch {
	case f.Waiting && f.InForce:
		return "an earlier form is in force: waiting for the module"
	case f.Waiting:
		return "not in force: waiting for the module"
	case len(f.Problems) > 0 && !f.InForce:
		return "not in force: " + firstLine(f.Problems[0])
	case len(f.Problems) > 0 && !f.Newest:
		return "an earlier form is in force: " + firstLine(f.Problems[0])
	case len(f.Problems) > 0:
		return "not everywhere: " + firstLine(f.Problems[0])
	case f.Nacked > 0:
		return "refused, see below"
	case f.Targeted == 0:
		return "no connected proxy has a slot for it"
	case f.Pending > 0:
		return "on its way"
	}
	return ""
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// shortened is a digest or a revision as people compare it: 12 digits.
func shortened(hex string) string { return hex[:min(12, len(hex))] }

func moduleDigest(m *plane.ModuleStatus) string {
	if m == nil {
		return "-"
	}
	return shortened(strings.TrimPrefix(m.Digest, "sha256:"))
}

func revisions(all []string) string {
	switch len(all) {
	case 0:
		return "-"
	case 1:
		return shortened(all[0])
	}
	return fmt.Sprintf("%s (+%d)", shortened(all[0]), len(all)-1)
}
