package sources

import (
	"cmp"
	"slices"

	"github.com/graft-xds/graft/snapshot"
)

// Merge puts the newest Sets of several sources together, in an order that does not depend on which came first:
// documents by source, file, line and key; broken objects likewise.
func Merge(sets []Set) Set {
	sets = slices.Clone(sets)
	slices.SortStableFunc(sets, func(a, b Set) int { return cmp.Compare(a.Source, b.Source) })
	var out Set
	for _, s := range sets {
		documents, broken := slices.Clone(s.Documents), slices.Clone(s.Broken)
		slices.SortStableFunc(documents, func(a, b snapshot.Document) int {
			return cmp.Or(compareOrigins(a.Origin, b.Origin), compareKeys(a.Key, b.Key))
		})
		slices.SortStableFunc(broken, func(a, b snapshot.Broken) int {
			return cmp.Or(snapshot.CompareProblems(a.Problem, b.Problem), compareKeys(a.Key, b.Key))
		})
		out.Documents = append(out.Documents, documents...)
		out.Broken = append(out.Broken, broken...)
	}
	return out
}

func compareOrigins(a, b snapshot.Origin) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

func compareKeys(a, b snapshot.Key) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}
