// Package envoytest runs a real Envoy for tests, the demo and benches: the process, its admin interface, an upstream that
// says what it saw, and a load that counts every answer, every dial and every close.
//
// Everything is on loopback. Functions that take a testing.TB end what they started when the test ends; the others return
// what has to be stopped. Nothing outlives this process, however it ends.
package envoytest
