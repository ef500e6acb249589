package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/graft-xds/graft/plane"
)

const revision = "0123456789abcdef0123456789abcdef"

func refusedBy(proxy, text string) plane.Refusal {
	return plane.Refusal{Proxy: proxy, Resource: "graft/web", Revision: revision, Text: text}
}

// TestStatusText shows whole pages.
func TestStatusText(t *testing.T) {
	proxies := make([]plane.ProxyStatus, 2)
	melon := plane.FilterStatus{
		Name: "default/melon", Module: &plane.ModuleStatus{Digest: "sha256:" + strings.Repeat("ab", 32)}, Revisions: []string{revision},
		InForce: true, Newest: true, Targeted: 2, Acked: 2,
	}
	lemon := plane.FilterStatus{
		Name: "team/lemon", Revisions: []string{"fedcba9876543210", revision}, InForce: true, Newest: true, Targeted: 6, Acked: 1, Nacked: 5,
		Refusals: []plane.Refusal{
			refusedBy("a", "script load error: x:1\nnear 'end'\n"), refusedBy("b", "script load error: x:1\nnear 'end'\n"), refusedBy("b", "script load error: x:1\nnear 'end'\n"),
			refusedBy("c", "script load error: x:1\nnear 'end'\n"), refusedBy("d", "script load error: x:1\nnear 'end'\n"), refusedBy("e", "timeout"),
		},
	}
	for _, c := range []struct {
		name  string
		in    plane.Status
		names []string
		want  string
	}{
		{"before the first publish", plane.Status{Proxies: proxies}, nil, `
not ready: the configuration has not been read yet; 2 proxies connected
`},
		{"nothing", plane.Status{Ready: true}, nil, `
no filters

0 proxies connected
`},
		{"all is well", plane.Status{Ready: true, Filters: []plane.FilterStatus{melon}, Proxies: proxies[:1]}, nil, `
FILTER         MODULE        REVISION      PROXIES  ACKED  NACKED  PENDING  NOTE
default/melon  abababababab  0123456789ab  2        2      0       0        

1 proxy connected
`},
		{"refusals and problems", plane.Status{
			Ready: true, Filters: []plane.FilterStatus{melon, lemon},
			Proxies: []plane.ProxyStatus{{Refusals: []plane.Refusal{{Proxy: "a", Resource: "web", Revision: "77", Text: "cannot bind '0.0.0.0:80'"}}}},
			Problems: []plane.Problem{
				{Where: "a.yaml:6:5: Filter default/plum: spec.wasm.modul", What: `unknown field "modul"`, Hint: `did you mean "module"?`},
				{What: "something is wrong"},
				{Where: "a.yaml", Code: "unknown-target", What: "no such listener"},
			},
		}, nil, `
FILTER         MODULE        REVISION           PROXIES  ACKED  NACKED  PENDING  NOTE
default/melon  abababababab  0123456789ab       2        2      0       0        
team/lemon     -             fedcba987654 (+1)  6        1      5       0        refused, see below

refused by a, b, c and 1 more: graft/web 0123456789ab
  script load error: x:1
  near 'end'

refused by e: graft/web 0123456789ab
  timeout

refused by a: web 77
  cannot bind '0.0.0.0:80'

problem: a.yaml:6:5: Filter default/plum: spec.wasm.modul: unknown field "modul"
  did you mean "module"?

problem: something is wrong

warning: a.yaml: no such listener

1 proxy connected
`},
		{"one filter and what is about it", plane.Status{
			Ready: true, Filters: []plane.FilterStatus{melon, lemon}, Proxies: proxies,
			Problems: []plane.Problem{{What: "something else"}},
		}, []string{"melon"}, `
FILTER         MODULE        REVISION      PROXIES  ACKED  NACKED  PENDING  NOTE
default/melon  abababababab  0123456789ab  2        2      0       0        
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := statusText(c.in, c.names, "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimPrefix(c.want, "\n"), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestNote: the most important thing in a few words.
func TestNote(t *testing.T) {
	problems := []string{"not a Wasm module\nbuild it", "another"}
	for _, c := range []struct {
		want string
		in   plane.FilterStatus
	}{
		{"", plane.FilterStatus{InForce: true, Newest: true, Targeted: 1, Acked: 1}},
		{"no connected proxy has a slot for it", plane.FilterStatus{InForce: true, Newest: true}},
		{"on its way", plane.FilterStatus{InForce: true, Newest: true, Targeted: 2, Acked: 1, Pending: 1}},
		{"refused, see below", plane.FilterStatus{InForce: true, Newest: true, Targeted: 3, Acked: 1, Pending: 1, Nacked: 1}},
		{"not in force: waiting for the module", plane.FilterStatus{Waiting: true, Targeted: 1, Pending: 1}},
		{"an earlier form is in force: waiting for the module", plane.FilterStatus{Waiting: true, InForce: true, Targeted: 1, Acked: 1}},
		{"not in force: not a Wasm module", plane.FilterStatus{Problems: problems, Targeted: 1, Pending: 1}},
		{"an earlier form is in force: not a Wasm module", plane.FilterStatus{Problems: problems, InForce: true, Targeted: 1, Acked: 1}},
		{"not everywhere: not a Wasm module", plane.FilterStatus{Problems: problems, InForce: true, Newest: true, Targeted: 1, Acked: 1}},
	} {
		if got := note(c.in); got != c.want {
			t.Errorf("%+v: %q, want %q", c.in, got, c.want)
		}
	}
}

func TestChooseFilters(t *testing.T) {
	s := plane.Status{Filters: []plane.FilterStatus{{Name: "default/melon"}, {Name: "team/melon"}, {Name: "default/lemon"}}}
	for _, c := range []struct{ names, want string }{
		{"", "default/melon team/melon default/lemon"},
		{"melon", "default/melon"},
		{"team/melon lemon", "team/melon default/lemon"},
	} {
		chosen := s
		if err := choose(&chosen, strings.Fields(c.names)); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range chosen.Filters {
			got = append(got, f.Name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q: %v, want %s", c.names, got, c.want)
		}
	}
	var f *failure
	if err := choose(&s, []string{"plum"}); !errors.As(err, &f) || f.code != exitFailed || err.Error() != `no filter "plum"` {
		t.Errorf("error %v", err)
	}
}
