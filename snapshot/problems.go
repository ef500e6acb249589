package snapshot

// The codes of the problems that Parse and Build find.
const (
	CodeDuplicate      Code = "duplicate-name"
	CodeUnsupported    Code = "not-supported-yet"
	CodeInvalid        Code = "invalid"
	CodeFile           Code = "unreadable-file"
	CodeLua            Code = "lua"
	CodeNative         Code = "native"
	CodeAddress        Code = "address"
	CodeUnknownCluster Code = "unknown-cluster"
	CodeRoute          Code = "route"
	CodeTLS            Code = "tls"
	CodeResource       Code = "resource"
	CodeClash          Code = "clash"
	CodeUnknownTarget  Code = "unknown-target"
	CodeNoWasm         Code = "no-wasm"
	CodeNotDeclared    Code = "not-declared"
	CodeTooMany        Code = "too-many-filters"
	CodeSlot           Code = "slot"
	CodeInternal       Code = "internal"
)

// Warning says whether what a problem is about is in force all the same.
func (c Code) Warning() bool { return c == CodeUnknownTarget }

// Explanation is what the documentation says about a code.
type Explanation struct {
	Code    Code
	Meaning string
}

// ParseExplanations lists the codes of Parse: what is wrong with documents that could be read.
func ParseExplanations() []Explanation {
	return []Explanation{
		{CodeDuplicate, "Two objects have one name, or one object names a listener, address, cluster, route, endpoint or resource twice. Of two documents the one that was in force stays so, else the first in order of files."},
		{CodeUnsupported, "The field is part of the schema, but this version of graft does not do yet what it says. It is refused rather than ignored."},
		{CodeInvalid, "The document lacks something that it cannot mean anything without."},
		{CodeFile, "A file that the document names cannot be read. The object keeps its last form, with the file as it was then."},
		{CodeLua, "The script cannot be right: it is not text, or defines none of the functions that Envoy calls. What else is wrong with a script Envoy says; see `graft status`."},
		{CodeNative, "The message is not the configuration of an HTTP filter that can stand in a chain, or Envoy would refuse it."},
		{CodeAddress, "A listener needs an IP address and a port; a cluster needs endpoints, each an IP address or a name, and a port."},
		{CodeUnknownCluster, "A route leads to a cluster that this Proxy does not have, neither under `clusters` nor under `resources`."},
		{CodeRoute, "A route matches nothing, or says what has no meaning for it."},
		{CodeTLS, "A certificate, its key or an authority is missing, is not PEM, or does not fit the others."},
		{CodeResource, "A whole resource is not of a type that graft serves, has no name, or Envoy would refuse it."},
		{CodeClash, "Two Proxy documents that select the same Envoys claim one name or address. The one that was in force stays so, else the first by name. The name `graft-modules` belongs to graft."},
		{CodeUnknownTarget, "A target names a Proxy, listener or route that no Proxy document has. The filter is in force all the same, wherever else it is for; the Proxy may come later."},
	}
}

// BuildExplanations lists the codes of Build: what is wrong with an object on some proxies.
func BuildExplanations() []Explanation {
	return []Explanation{
		{CodeNoWasm, "A Wasm filter is for proxies that are built without Wasm."},
		{CodeNotDeclared, "A native filter is for proxies with declared slots, which do not take its type."},
		{CodeTooMany, "More filters are for a listener than it has declared slots."},
		{CodeSlot, "A slot that a connection manager names itself cannot take what is for it."},
		{CodeInternal, "Graft found a fault in its own work and kept what the proxies had."},
	}
}
