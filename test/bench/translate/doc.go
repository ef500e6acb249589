// Package translate measures what graft's translation of documents costs, apart from any stream: its tests are benchmarks.
//
//	go test -bench . ./test/bench/translate
package translate
