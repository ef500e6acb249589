package xds

import (
	"fmt"
	"testing"

	"github.com/graft-xds/graft/snapshot"
)

// BenchmarkPublish is the cost of one publish to sessions that need not hear of it, and of deciding for those that must.
func BenchmarkPublish(b *testing.B) {
	for _, sessions := range []int{100, 10_000} {
		s := newServer(Options{}, renderForTest, nextSlotForTest)
		config := &snapshot.Config{Selection: "1"}
		for i := range sessions {
			one := newSession(s, true, "")
			one.meet(testNode(fmt.Sprint("p", i)))
			one.open(func() {})
			if err := one.hear(request{typeURL: snapshot.ExtensionType, asked: []string{"a"}, versions: map[string]string{"a": "0"}}); err != nil {
				b.Fatal(err)
			}
		}
		publish := func(things ...any) {
			result := &snapshot.Result{Groups: map[string]*snapshot.Resources{}}
			for _, group := range s.Groups(config) {
				result.Groups[group.Key] = resources(nil, things...)
			}
			s.Publish(config, result)
		}
		other, edits := content("b", "1"), 0
		b.Run(fmt.Sprintf("unrelated/%d", sessions), func(b *testing.B) {
			a := content("a", "0")
			publish(a, other)
			for i := range b.N {
				publish(a, content("b", fmt.Sprint(i)))
			}
		})
		b.Run(fmt.Sprintf("decide/%d", sessions), func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				edits++
				publish(content("a", fmt.Sprint("r", edits)), other)
				for _, one := range s.sessions() {
					f := one.take()
					if f == nil {
						b.Fatal("nothing to say")
					}
					one.sent(f, "1")
					if err := one.hear(request{typeURL: snapshot.ExtensionType, answer: answer{nonce: "1"}}); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		s.Stop()
	}
}
