package plane

import (
	"slices"

	"go.uber.org/zap"

	"github.com/graft-xds/graft/snapshot"
)

func sortProblems(problems []snapshot.Problem) {
	slices.SortFunc(problems, snapshot.CompareProblems)
}

// logProblems logs each problem once: when it comes up, and when it is mended. A problem that only moved within its file is
// the same.
func logProblems(log *zap.Logger, before *State, now []snapshot.Problem) {
	var old []snapshot.Problem
	if before != nil {
		old = before.Problems
	}
	for _, p := range without(now, old) {
		log.Warn(severity(p), problemFields(p)...)
	}
	for _, p := range without(old, now) {
		log.Info("mended", problemFields(p)...)
	}
}

func severity(p snapshot.Problem) string {
	if p.Code.Warning() {
		return "warning"
	}
	return "problem"
}

// without gives those of problems that are not among the others.
func without(problems, others []snapshot.Problem) []snapshot.Problem {
	if slices.Equal(problems, others) {
		return nil
	}
	there := make(map[snapshot.Problem]bool, len(others))
	for _, p := range others {
		there[unplaced(p)] = true
	}
	return slices.DeleteFunc(slices.Clone(problems), func(p snapshot.Problem) bool { return there[unplaced(p)] })
}

func unplaced(p snapshot.Problem) snapshot.Problem {
	p.Origin.Line, p.Origin.Column = 0, 0
	return p
}

// problemFields are where, what and hint, by names that a console can put in order.
func problemFields(p snapshot.Problem) []zap.Field {
	fields := []zap.Field{zap.String("at", p.Origin.String()), zap.String("what", p.What), zap.String("code", string(p.Code))}
	if p.Hint != "" {
		fields = append(fields, zap.String("hint", p.Hint))
	}
	return fields
}
