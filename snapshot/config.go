package snapshot

import (
	"google.golang.org/protobuf/types/known/anypb"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// Config is what all documents together mean: defaults filled in, checked, sorted. Make the first with Parse, each that
// follows with Next.
type Config struct {
	Filters   []*Filter  // in chain order: phase, higher priority first, namespace, name
	Proxies   []*Proxy   // by namespace, name
	Selection string     // hash of everything that decides which proxy sees what; equal: no proxy changes its group
	Documents []Document // the form of each object that is in force, sorted by key: the newest that was good

	parsed    parsed        // what Next shares
	selectors selectorIndex // filled in by the first Place or Build
}

// Filter is one HTTP filter of a chain. Exactly one of Wasm, Lua and Native is set.
type Filter struct {
	Key      Key
	Origin   func(field string) Origin // for problems that only building finds
	Hash     string                    // of all that follows; a filter whose Hash is unchanged keeps its pointer from one Config to the next
	Phase    Phase
	Priority int32
	Targets  []Target // never empty: a filter without targets has one that matches everything
	Wasm     *Wasm
	Lua      string
	Native   *anypb.Any // deterministically marshalled
}

// Phase orders filters; a request meets lower ones first.
type Phase int

// The phases of a chain.
const (
	PhaseAuthn Phase = iota
	PhaseAuthz
	PhaseDefault
	PhaseStats
)

// Wasm is how a module runs.
type Wasm struct {
	Module      Ref
	Config      []byte // what the plugin is configured with
	RootID      string
	VMID        string // empty: one VM per filter and content
	Env         map[string]string
	EnvFromHost []string
	OnFailure   string // reload, closed or open
	Allow       []string
	Delivery    string // auto, inline, http or file
}

// Target is a set of slots; see the schema.
type Target struct {
	Nodes     *graftv1alpha1.NodeSelector // nil: every proxy
	Proxy     Key                         // zero: any
	Listeners []string
	Ports     []uint32
	Direction string
	Routes    []string
}

// Proxy is what some standalone Envoys serve.
type Proxy struct {
	Key    Key
	Origin func(field string) Origin
	Hash   string
	Spec   *graftv1alpha1.ProxySpec // defaults filled in
	Files  map[string]File          // certificates and keys, by path
}

// Ref says which module is meant. It is comparable; equal refs mean the same bytes until a resolver says otherwise.
type Ref struct {
	Location string // absolute path, http(s)://… or oci://…; empty: only the digest is known (a last good form)
	SHA256   string // 64 hex digits that the bytes must hash to; empty: any
	Stamp    string // of a file: changes whenever the file does
}

// Module is a module in hand: read, verified, inspected and stored.
type Module struct {
	Digest string // "sha256:" and 64 hex digits of Bytes
	Bytes  []byte // shared; never written to
	ABI    string // "0.1.0", "0.2.0" or "0.2.1"
	Path   string // content-addressed path in the store, for delivery by file
}

// Outcome is what became of a wanted Ref: a module, or what is wrong with it. A Ref without an Outcome is on its way.
// Both may be set: the module that was in hand before, and why the newest could not be had.
type Outcome struct {
	Module *Module
	Err    *ModuleError
}

// ModuleError is why a module could not be had. Build turns it into a Problem at the filters that name it.
type ModuleError struct {
	Code Code
	What string
	Hint string
}

// Error is the text without the hint.
func (e *ModuleError) Error() string { return e.What }
