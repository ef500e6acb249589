package plane

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/sources"
)

// BenchmarkEdit is what the loop takes from the set that a source sends to the publish, of one edited filter among many, with
// the state directory on disk. Saving goes on beside it.
func BenchmarkEdit(b *testing.B) {
	for _, filters := range []int{10, 1000} {
		b.Run(fmt.Sprint(filters, " filters"), func(b *testing.B) {
			var text strings.Builder
			text.WriteString(web)
			for i := range filters {
				text.WriteString(lua(fmt.Sprintf("f%d", i), "same"))
			}
			documents, _ := read(b, "a.yaml", text.String())
			edited, _ := read(b, "a.yaml", lua("f0", "other"))
			dir, err := OpenDir(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = dir.Close() }()
			published := make(chan Timing, 1)
			source := &feed{name: "file", sets: make(chan sources.Set)}
			p := New(Options{
				Sources: []sources.Source{source}, Modules: &workshop{}, Memory: dir, Logger: zap.NewNop(),
				Publisher: &recorder{nodes: []snapshot.Node{node("envoy")}}, Observe: func(t Timing) { published <- t },
			})
			ctx, cancel := context.WithCancel(b.Context())
			ended := make(chan error, 1)
			go func() { ended <- p.Run(ctx) }()
			defer func() { cancel(); <-ended }()

			sets := [2]sources.Set{{Source: "file", Documents: documents}, {Source: "file", Documents: slices.Clone(documents)}}
			at := slices.IndexFunc(documents, func(d snapshot.Document) bool { return d.Key == edited[0].Key })
			sets[1].Documents[at] = edited[0]
			source.sets <- sets[0]
			<-published
			var sum Timing
			n := 0
			for b.Loop() {
				n++
				source.sets <- sets[n%2]
				t := <-published
				sum.Parse, sum.Build, sum.Publish = sum.Parse+t.Parse, sum.Build+t.Build, sum.Publish+t.Publish
			}
			b.ReportMetric(float64(sum.Parse.Microseconds())/float64(n), "µs-parse/op")
			b.ReportMetric(float64(sum.Build.Microseconds())/float64(n), "µs-build/op")
			b.ReportMetric(float64(sum.Publish.Microseconds())/float64(n), "µs-publish/op")
		})
	}
}
