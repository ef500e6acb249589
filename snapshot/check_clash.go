package snapshot

import (
	"strings"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// claimed is a Proxy with what it claims, and the names that filters can aim at.
type claimed struct {
	*Proxy
	claims []claim
	names  targetable
}

func claimedBy(p *Proxy) *claimed {
	whole := wholeResources(p.Spec)
	return &claimed{p, claims(p.Spec, whole), targetsOf(p, whole)}
}

// checkClashes finds what a Proxy claims that another one, already admitted, has on the same Envoys. Only selectors of
// which one certainly takes in the other are compared: whether others ever meet on an Envoy is seen when one connects.
func checkClashes(p *claimed, admitted []*inForce[claimed]) []Problem {
	var problems []Problem
	for _, taken := range admitted {
		other := taken.form
		if covers(p.Spec.GetNodes(), other.Spec.GetNodes()) || covers(other.Spec.GetNodes(), p.Spec.GetNodes()) {
			problems = append(problems, clashes(p, other)...)
		}
	}
	return problems
}

// clashes finds what p claims that other has, as problems of p, each field once.
func clashes(p, other *claimed) []Problem {
	taken, told := map[string]bool{}, map[string]bool{}
	for _, c := range other.claims {
		taken[c.what] = true
	}
	var problems []Problem
	for _, c := range p.claims {
		if taken[c.what] && !told[c.field] {
			told[c.field] = true
			problems = append(problems, Problem{
				Origin: p.Origin(c.field),
				Code:   CodeClash,
				What:   c.what + " is already defined by " + other.Key.String() + " for the same Envoys",
				Hint:   "give it another name or address, or select other Envoys by nodes; the other is at " + place(other.Origin("metadata.name")),
			})
		}
	}
	return problems
}

// covers says whether every node that b selects is certainly selected by a.
func covers(a, b *graftv1alpha1.NodeSelector) bool {
	for name, value := range a.GetMatchLabels() {
		if got, ok := b.GetMatchLabels()[name]; !ok || got != value {
			return false
		}
	}
	return coversGlob(a.GetId(), b.GetId()) && coversGlob(a.GetCluster(), b.GetCluster())
}

// coversGlob says whether everything that b matches is certainly matched by a; empty matches everything.
func coversGlob(a, b string) bool {
	switch {
	case a == "" || a == b:
		return true
	case b == "" || strings.Contains(b, "*"):
		return strings.Trim(a, "*") == ""
	default:
		return matchGlob(a, b)
	}
}
