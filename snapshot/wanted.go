package snapshot

import (
	"cmp"
	"slices"
	"strings"
)

// Wanted tells which modules Build would use: those of the newest form of each filter, and by digest those of the last
// form of each filter that had one, which stands in where the newest cannot be had. Sorted, each once.
func Wanted(cfg *Config, m Memory) []Ref {
	var refs, digests []Ref
	for _, filter := range cfg.Filters {
		if filter.Wasm != nil {
			refs = appendNew(refs, filter.Wasm.Module)
		}
		if form, ok := m.Forms[filter.Key]; ok && form.Module != "" {
			digests = appendNew(digests, digestRef(form.Module))
		}
	}
	refs = append(refs, digests...)
	slices.SortFunc(refs, compareRefs)
	return slices.Compact(refs)
}

// appendNew leaves out what stands at the end already: neighbours often share a module.
func appendNew(refs []Ref, ref Ref) []Ref {
	if len(refs) > 0 && refs[len(refs)-1] == ref {
		return refs
	}
	return append(refs, ref)
}

func compareRefs(a, b Ref) int {
	if a.Location != b.Location {
		return cmp.Compare(a.Location, b.Location)
	}
	return cmp.Or(cmp.Compare(a.SHA256, b.SHA256), cmp.Compare(a.Stamp, b.Stamp))
}

// digestRef means the module with this digest, wherever it is from.
func digestRef(digest string) Ref { return Ref{SHA256: strings.TrimPrefix(digest, digestPrefix)} }

// digestPrefix begins Module.Digest.
const digestPrefix = "sha256:"
