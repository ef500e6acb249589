package snapshot

import (
	"cmp"
	"slices"
	"strings"
)

// Wanted tells which modules Build would use: those of the newest form of each filter, and by digest those of the last
// form of each filter that had one, which stands in where the newest cannot be had. Sorted, each once.
func Wanted(cfg *Config, m Memory) []Ref {
	var refs []Ref
	for _, filter := range cfg.Filters {
		if filter.Wasm != nil {
			refs = append(refs, filter.Wasm.Module)
		}
		if form, ok := m.Forms[filter.Key]; ok && form.Module != "" {
			refs = append(refs, digestRef(form.Module))
		}
	}
	slices.SortFunc(refs, func(a, b Ref) int {
		return cmp.Or(cmp.Compare(a.Location, b.Location), cmp.Compare(a.SHA256, b.SHA256), cmp.Compare(a.Stamp, b.Stamp))
	})
	return slices.Compact(refs)
}

// digestRef means the module with this digest, wherever it is from.
func digestRef(digest string) Ref { return Ref{SHA256: strings.TrimPrefix(digest, digestPrefix)} }

// digestPrefix begins Module.Digest.
const digestPrefix = "sha256:"
