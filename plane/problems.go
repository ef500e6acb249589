package plane

import (
	"slices"

	"go.uber.org/zap"

	"github.com/graft-xds/graft/snapshot"
)

func sortProblems(problems []snapshot.Problem) {
	slices.SortFunc(problems, snapshot.CompareProblems)
}

// logProblems logs each problem once: when it comes up, and when it is mended.
func logProblems(log *zap.Logger, before *State, now []snapshot.Problem) {
	var old []snapshot.Problem
	if before != nil {
		old = before.Problems
	}
	for _, p := range now {
		if !slices.Contains(old, p) {
			log.Warn("problem: "+p.What, problemFields(p)...)
		}
	}
	for _, p := range old {
		if !slices.Contains(now, p) {
			log.Info("mended: "+p.What, problemFields(p)...)
		}
	}
}

func problemFields(p snapshot.Problem) []zap.Field {
	fields := []zap.Field{zap.String("at", p.Origin.String()), zap.String("code", string(p.Code))}
	if p.Hint != "" {
		fields = append(fields, zap.String("hint", p.Hint))
	}
	return fields
}
