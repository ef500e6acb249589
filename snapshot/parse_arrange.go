package snapshot

import "slices"

// arrangement is the order by key of documents that came in some other order. Most edits leave the keys as they are, and
// then nothing is sorted.
type arrangement struct {
	keys  []Key // as they came
	order []int // of the documents by key; of two with one key the one that came first
}

// of gives the arrangement of documents: a itself if it fits. A nil a fits nothing.
func (a *arrangement) of(docs []Document) *arrangement {
	if a != nil && a.fits(docs) {
		return a
	}
	made := &arrangement{keys: make([]Key, len(docs)), order: make([]int, len(docs))}
	for i := range docs {
		made.keys[i], made.order[i] = docs[i].Key, i
	}
	slices.SortStableFunc(made.order, func(i, j int) int { return compareKeys(made.keys[i], made.keys[j]) })
	return made
}

func (a *arrangement) fits(docs []Document) bool {
	if len(a.keys) != len(docs) {
		return false
	}
	for i := range docs {
		if a.keys[i] != docs[i].Key {
			return false
		}
	}
	return true
}
