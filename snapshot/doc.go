// Package snapshot decides what every proxy gets. It is pure: the same input gives the same bytes; there is no I/O, no
// clock, no logger and no goroutine in it.
//
//	Documents ─ Parse ─▶ Config ─┐
//	module outcomes ─────────────┼─ Build ─▶ Result: for each group of proxies its listeners, routes, clusters,
//	groups of proxies ───────────┤           endpoints, secrets and the content of each slot; and Problems
//	the last Result ─────────────┘
//
// Both go on from what they made last, so that an edit costs what changed and not what exists: Config.Next reads only new
// documents, and Build makes only the groups that a change is about.
//
// Everything that Parse and Build return is immutable and may be shared between goroutines.
package snapshot
