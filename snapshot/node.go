package snapshot

// Node is what graft needs to know of an xDS node. It is reported by the proxy itself.
type Node struct {
	ID      string
	Cluster string
	Labels  map[string]string // metadata "labels" (or Istio's "LABELS")
	Traits  Traits
}

// Traits are the abilities of a proxy that decide what it can be sent, read from node.extensions.
type Traits struct {
	FilterChain bool   // envoy.filters.http.filter_chain is built in: slots carry whole chains
	Wasm        bool   // envoy.wasm.runtime.v8 is built in
	Version     string // "1.40.0", for problems and status; empty if unknown. Not part of a group's key.
	Extensions  bool   // the node listed its extensions at all; a client that does not is taken to have everything but FilterChain
}

// Group is a set of proxies that see the same: the same Proxy documents, the same filters, the same kind of slots.
type Group struct {
	Key      string   // comparable, opaque; the same for the same Selection, node facts and foreign slots
	Node     Node     // one of its proxies, as an example; only what the Key covers may be relied on
	Foreign  []string // names of slots that proxies of the group ask for and that no listener of ours names, sorted
	Previous string   // Key of the group that these proxies were in before the Selection changed; may be empty
}

// SlotPrefix begins the name of every slot: "graft/web" is the chain slot of the listener "web", "graft/web/3-of-8" the
// third of its eight declared slots.
const SlotPrefix = "graft/"
