// Package xds speaks with the proxies: it owns their streams, decides what goes out on each and when, and remembers what
// each proxy has taken and refused. What a proxy should have is decided elsewhere (package snapshot) and given to Publish.
//
//	Publish ─▶ sessions whose group has something new ring ─▶ the stream's own goroutine asks session.next what goes out
//	ACK, NACK, subscriptions ─▶ session ─▶ the same bell
//
// go-control-plane's stream servers pump requests and keep subscriptions and nonces; one server value and one cache (the
// session) per stream, so that a slow or broken proxy has no lock in common with another. The bytes of a resource are
// encoded once and shared by all streams.
//
// The rules that a real Envoy forces on a server are kept in: slots.go (ECDS: one resource a response, never a removal,
// never the same refused bytes again), verdict.go (what was refused, beyond a restart), warm.go (modules that a proxy
// fetches), order.go (make before break) and watch.go (every other type).
package xds
