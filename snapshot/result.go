package snapshot

// Type URLs of the resources that graft serves.
const (
	ListenerType  = "type.googleapis.com/envoy.config.listener.v3.Listener"
	RouteType     = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
	ClusterType   = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
	EndpointType  = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
	SecretType    = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
	ExtensionType = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
)

// Input is all that Build looks at.
type Input struct {
	Config  *Config
	Modules map[Ref]Outcome
	Groups  []Group // the groups that have proxies; others are not built
	Last    *Result // nil at first; unchanged parts are shared with it, and what cannot be built keeps its form of then
	Options Options
}

// Options are settings of graft that show on the wire.
type Options struct {
	InlineLimit int64  // bytes of a module up to which `delivery: auto` is inline; 0 means 256 KiB
	ModuleHost  string // host or IP address at which proxies reach graft's module server; empty: nothing is delivered by HTTP
	ModulePort  uint32
}

// Result is what Build decided.
type Result struct {
	Groups   map[string]*Resources // by Group.Key
	Problems []Problem             // sorted
	Memory   Memory                // what the next Build, even one in another process, must know
	Statuses []FilterState         // one for each filter, in chain order

	memo *memo // what the next Build in this process shares
}

// Resources is all that the proxies of one group get. A snapshot is closed: every slot that a listener names is in Slots,
// every slot in Slots is named by a listener or asked for by a proxy.
type Resources struct {
	Types map[string][]*Resource // by type URL (all but ExtensionType), each sorted by name
	Slots map[string]*Content    // by name of the ECDS resource

	inputs  groupInputs      // what all this was made of
	plans   map[string]*plan // by the identity of the slot set
	routes  map[routesKey]*Resource
	named   []named // the slots that its listeners name
	remarks []remark
	held    []remark // no problems: what filters wait for
	stale   []part   // what the contents carry of filters otherwise than their verdicts say
}

// Resource is one xDS resource, marshalled once. The pointer stays the same as long as the content does.
type Resource struct {
	Type    string
	Name    string
	Version string // hash of the content, the same in every replica and after every restart
	Body    []byte // the marshalled message (not the Any around it); never written to

	// Uses names the filters that a RouteConfiguration carries in per-route chains: they are in force where it is ACKed.
	Uses []FilterUse
}

// FilterState is what Build made of one filter, for status.
type FilterState struct {
	Key      Key
	Hash     string   // of the newest form; see Filter.Hash
	InForce  string   // Hash of the form that the contents carry; differs from Hash while the newest cannot be built; empty: none
	Module   *Module  // of the form in force; nil for lua and native
	Waiting  bool     // its module is on its way
	Problems []string // texts of the problems that keep the newest form out, with hints
}

// Memory is the part of a Result that outlives the process. It is plain data.
type Memory struct {
	Documents []Document           // Config.Documents: the last good form of every object
	Forms     map[Key]Form         // the last form of each filter whose module was in hand
	Slots     map[string]SlotOrder // by group key and slot set: which filter is in which slot
	Selection string               // Config.Selection that the keys of Slots belong to
}

// Form is a filter with its module in hand.
type Form struct {
	Filter *Filter
	Module string // digest; empty for lua and native
}

// SlotOrder is the filter in each declared slot of a listener, where a zero Key is an unused slot; or the filters of a
// chain slot in order. A filter that a deny stands for is in it too, so that a new graft knows it from one left out.
type SlotOrder []Key
