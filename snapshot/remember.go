package snapshot

import (
	"maps"
	"slices"
)

// memory is what the next Build, perhaps in another process, must know.
func (b *builder) memory() Memory {
	return Memory{
		Documents: b.in.Config.Documents,
		Forms:     b.lastForms(),
		Slots:     b.slotOrders(),
		Selection: b.in.Config.Selection,
	}
}

// lastForms gives the last form of each filter that had one: what the last Build gave, but for what changed since.
func (b *builder) lastForms() map[Key]Form {
	before := b.remembered.Forms
	now, changed := map[Key]Form{}, b.verdicts
	if b.last.verdicts != nil { // then before is of the same Build
		if b.changes.none() {
			return before
		}
		now, changed = maps.Clone(before), b.changes.come
		for _, v := range b.changes.gone {
			delete(now, v.newest.Key)
		}
	}
	for _, v := range changed {
		key := v.newest.Key
		if form, ok := before[key]; v.form == nil && ok {
			now[key] = form
		} else if v.form != nil {
			now[key] = Form{Filter: v.form.filter, Module: v.form.digest()}
		}
	}
	return now
}

// slotOrders gives what is in the slots. What a provisional plan holds is not in it: it would pass for what the slot
// carried before. Groups come and go with their proxies; their keys last as long as the selection does.
func (b *builder) slotOrders() map[string]SlotOrder {
	var orders, before map[string]SlotOrder
	shared := b.remembered.Slots != nil && b.remembered.Selection == b.in.Config.Selection
	if shared {
		orders = b.remembered.Slots
	} else {
		orders, before = map[string]SlotOrder{}, b.remembered.Slots
	}
	for _, g := range b.in.Groups {
		for _, p := range b.groups[g.Key].plans {
			key := orderKey(g.Key, p.set)
			order, known := p.order, true
			if p.provisional {
				order, known = before[key]
			}
			if was, ok := orders[key]; !known || ok && was.same(order) {
				continue
			}
			if shared {
				orders, shared = maps.Clone(orders), false
			}
			orders[key] = order
		}
	}
	return orders
}

// same looks at where the orders are before what they are: most are shared.
func (o SlotOrder) same(other SlotOrder) bool {
	return len(o) == len(other) && (len(o) == 0 || &o[0] == &other[0] || slices.Equal(o, other))
}
