package sources

import (
	"fmt"
	"strings"
	"testing"
)

// filterText is one Filter of about 2 KB.
func filterText(i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: graft.dev/v1alpha1\nkind: Filter\nmetadata: {name: filter-%d}\nspec:\n  wasm:\n    module: ./melon.wasm\n    config:\n", i)
	for j := range 40 {
		fmt.Fprintf(&b, "      header-%02d: a value of some length %d\n", j, i)
	}
	b.WriteString("  order: {phase: authz, priority: 5}\n  targets:\n  - nodes: {cluster: edge, matchLabels: {app: web}}\n    listeners: [web, api]\n")
	return b.String()
}

// BenchmarkDecode is the cost of an edit in decoding: one document of 2 KB, and 1,000 of them in one file.
func BenchmarkDecode(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("documents=%d", n), func(b *testing.B) {
			var text strings.Builder
			for i := range n {
				text.WriteString("---\n" + filterText(i))
			}
			decoder := newDecoder(b)
			data := []byte(text.String())
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if documents, broken := decoder.Decode("f.yaml", data, DecodeOptions{Dir: "/d"}); len(documents) != n || len(broken) > 0 {
					b.Fatal(len(documents), broken)
				}
			}
		})
	}
}

// BenchmarkEditOneOfMany changes one of 1,000 documents in a file.
func BenchmarkEditOneOfMany(b *testing.B) {
	var head, tail strings.Builder
	for i := range 999 {
		tail.WriteString("---\n" + filterText(i))
	}
	decoder, memory, i := newDecoder(b), &Memory{}, 0
	for b.Loop() {
		i++
		head.Reset()
		head.WriteString(strings.Repeat("# a comment\n", i%7) + filterText(10_000+i))
		text := []byte(head.String() + tail.String())
		if documents, broken := decoder.Decode("f.yaml", text, DecodeOptions{Dir: "/d", Memory: memory}); len(documents) != 1000 || len(broken) > 0 {
			b.Fatal(len(documents), broken)
		}
	}
}

// BenchmarkNewDecoder is what is paid once.
func BenchmarkNewDecoder(b *testing.B) {
	for b.Loop() {
		newDecoder(b)
	}
}
