// Package xds speaks with the proxies: it owns their streams, decides what goes out on each and when, and remembers what
// each proxy has taken and refused. What a proxy should have is decided elsewhere (package snapshot) and given to Publish.
//
//	Publish ─▶ sessions whose group has something new ring ─▶ the stream's sender asks session.take what goes out
//	ACK, NACK, subscriptions ─▶ the stream's handler ─▶ session.hear ─▶ the same bell
//
// Each stream has a session of its own, so that a slow or broken proxy has no lock in common with another; subscriptions
// are go-control-plane's. The bytes of a resource are encoded once and shared by all streams.
//
// The rules that a real Envoy forces on a server are kept in: slots.go (ECDS: one resource a response, never a removal,
// never the same refused bytes again), verdict.go (what was refused, beyond a restart), warm.go (modules that a proxy
// fetches), order.go (make before break) and watch.go (every other type).
package xds
