package snapshot

import (
	"fmt"
	"strconv"
	"strings"
)

// maxDeclared bounds the number of declared slots of a listener, as the schema does.
const maxDeclared = 64

// slotName is the name of a slot, taken apart: "graft/web" is the chain slot of its base, "graft/web/3-of-8" the third of
// eight declared slots.
type slotName struct {
	base  string // "graft/web", or whatever a connection manager of others calls its slot
	index int    // from 1; 0 in a name without suffix
	of    int    // number of declared slots; 0 in a name without suffix
}

func parseSlotName(name string) slotName {
	cut := strings.LastIndexByte(name, '/')
	if cut < 0 {
		return slotName{base: name}
	}
	first, last, found := strings.Cut(name[cut+1:], "-of-")
	index, err1 := strconv.Atoi(first)
	of, err2 := strconv.Atoi(last)
	if !found || err1 != nil || err2 != nil || index < 1 || index > of || of > maxDeclared ||
		declaredName(name[:cut], index, of) != name {
		return slotName{base: name}
	}
	return slotName{base: name[:cut], index: index, of: of}
}

// declaredName names the index-th (from 1) of the declared slots of a base.
func declaredName(base string, index, of int) string {
	return fmt.Sprintf("%s/%d-of-%d", base, index, of)
}

// listener is what targets call the listener that a slot is in.
func (s slotName) listener() string { return strings.TrimPrefix(s.base, SlotPrefix) }
