package snapshot

import "slices"

// history is what is known of the filters that slots carried before.
type history struct {
	plan  *plan     // in this process; nil if none
	order SlotOrder // in this or an earlier one
	known bool      // whether they served, with filters or without; not while a deny stood for one
}

func (b *builder) history(g *Group, set *slotSet) history {
	for _, key := range []string{g.Key, g.Previous} {
		if before := b.last.groups[key]; before != nil && before.plans[set.id()] != nil {
			p := before.plans[set.id()]
			return history{plan: p, order: p.order, known: !p.denied}
		}
		if order, ok := b.remembered.Slots[orderKey(key, set)]; ok {
			return history{order: order, known: true}
		}
	}
	return history{}
}

// carried tells whether the slots carried a filter, or a deny for it.
func (h *history) carried(key Key) bool { return slices.Contains(h.order, key) }

// formOf is the form that the slots carried before.
func (h *history) formOf(key Key) *form {
	if h.plan == nil {
		return nil
	}
	return h.plan.formOf(key)
}

func (h *history) same(other *history) bool {
	return h.plan == other.plan && h.known == other.known && (h.plan != nil || slices.Equal(h.order, other.order))
}

// orderKey is the key of Memory.Slots.
func orderKey(group string, set *slotSet) string { return group + " " + set.id() }
