package file

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/graft-xds/graft/sources"
	"github.com/graft-xds/graft/sources/sourcetest"
)

// BenchmarkSaveToSet is the time from the end of a save to the Set that holds it, for one file and beside others, by way
// of saving. p99 is in its own column, for a person who saves meets it as well.
func BenchmarkSaveToSet(b *testing.B) {
	for _, files := range []int{1, 1000} {
		for _, way := range []string{"in place", "write and rename"} {
			b.Run(fmt.Sprintf("files=%d/%s", files, way), func(b *testing.B) {
				dir := b.TempDir()
				for i := range files {
					name := fmt.Sprintf("f%d", i)
					if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(sourcetest.Filter(name, "x")), 0o644); err != nil {
						b.Fatal(err)
					}
				}
				out := make(chan sources.Set)
				go func() { _ = New(Options{Paths: []string{dir}, Tick: time.Hour}).Run(b.Context(), out) }()
				<-out
				save, took := ways()[way], make([]time.Duration, 0, 1000)
				for i := 0; b.Loop(); i++ {
					if err := save(filepath.Join(dir, "f0.yaml"), sourcetest.Filter("f0", fmt.Sprint(i))); err != nil {
						b.Fatal(err)
					}
					saved := time.Now()
					for code := ""; code != fmt.Sprint(i); {
						code = (<-out).Documents[0].Filter.GetSpec().GetLua().GetCode()
					}
					took = append(took, time.Since(saved))
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
			})
		}
	}
}
