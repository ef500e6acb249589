package snapshot

// Content is what one slot carries: a whole chain, or one filter of a declared slot. It is immutable, and the same pointer
// as long as it does the same.
type Content struct {
	Slot     string      // name of the ECDS resource
	Revision string      // hash of what it does, whatever the delivery and the attempt
	Uses     []FilterUse // its filters in order; empty: the slot is empty
	Fetches  []string    // digests of the modules that a remote rendering makes a proxy fetch; empty: there is no remote rendering
}

// FilterUse is one filter in a content, by the form it has there.
type FilterUse struct {
	Key    Key
	Hash   string // Filter.Hash of the form in force
	Digest string // of its module; empty for lua and native
}

// Variant is one way to send a content. The zero Variant is the inline, first one, the same in every replica.
type Variant struct {
	Remote  bool   // modules that the delivery allows are fetched from the module server rather than sent inline
	Attempt string // makes the bytes unique where they must go out again; part of the version
	Token   string // added to the URLs of modules, so that the module server knows which proxy fetched
}
