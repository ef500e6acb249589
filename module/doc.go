// Package module has the Wasm modules of filters in hand: it reads and verifies them, looks into them, keeps them and
// serves them to proxies.
//
//	Refs wanted ─▶ Resolver ─ read, verify, Inspect, Check, store ─▶ Outcomes (whole states)
//	proxies ─ GET /modules/<digest>.wasm ─▶ Server ─ Fetched ─▶ who waits for it
//
// Reading a module never blocks its caller: a module that arrives is an event. What cannot be had is a ModuleError with a
// code of Explanations, a text and a hint; it never takes a module away that is in hand.
package module
