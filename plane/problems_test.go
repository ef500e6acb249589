package plane

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/graft-xds/graft/snapshot"
)

// TestProblemsAreLoggedOnce goes from save to save and looks at what is new in the log.
func TestProblemsAreLoggedOnce(t *testing.T) {
	problem := func(line int, what string) snapshot.Problem {
		return snapshot.Problem{Origin: snapshot.Origin{File: "a.yaml", Line: line}, Code: "c", What: what, Hint: "mend " + what}
	}
	core, logs := observer.New(zapcore.InfoLevel)
	var before *State
	for _, step := range []struct {
		what string
		now  []snapshot.Problem
		want []string
	}{
		{"nothing wrong", nil, nil},
		{"two", []snapshot.Problem{problem(1, "x"), problem(2, "y")}, []string{"problem a.yaml:1: x (mend x)", "problem a.yaml:2: y (mend y)"}},
		{"the same", []snapshot.Problem{problem(1, "x"), problem(2, "y")}, nil},
		{"a line was added above", []snapshot.Problem{problem(2, "x"), problem(3, "y")}, nil},
		{"one is mended, one is new", []snapshot.Problem{problem(2, "x"), problem(9, "z")}, []string{"problem a.yaml:9: z (mend z)", "mended a.yaml:3: y (mend y)"}},
		{"all are mended", nil, []string{"mended a.yaml:2: x (mend x)", "mended a.yaml:9: z (mend z)"}},
	} {
		logProblems(zap.New(core), before, step.now)
		var got []string
		for _, entry := range logs.TakeAll() {
			fields := entry.ContextMap()
			got = append(got, entry.Message+" "+fields["at"].(string)+": "+fields["what"].(string)+" ("+fields["hint"].(string)+")")
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s:\n%s", step.what, diff)
		}
		before = &State{Problems: step.now}
	}
}
