package snapshot

import (
	"cmp"
	"slices"
)

// assign places filters, in order, into n slots that held the filters of before. It is the placement that writes the
// fewest slots among those that can be reached make-before-break, each filter standing in its new slot before its old one
// is written over; where it is free to choose, it spreads the unused slots evenly, so that later filters find room. With
// no spare slot some reorderings cannot be reached so; then it is just the one that writes the fewest.
func assign(before SlotOrder, filters []Key, n int) SlotOrder {
	before = slices.Clone(before)
	before = append(before, make(SlotOrder, max(0, n-len(before)))...)[:n]
	a := assignment{before: before, filters: filters, wanted: map[Key]bool{}}
	for _, key := range filters {
		a.wanted[key] = true
	}
	return a.acyclic()
}

type assignment struct {
	before  SlotOrder
	filters []Key
	wanted  map[Key]bool
}

// seat is a filter in a slot.
type seat struct{ slot, filter int }

// placing is a placement under the condition that some seats are not taken.
type placing struct {
	order     SlotOrder
	cost      int64
	forbidden []seat
}

// acyclic takes the cheapest placement; if some of its moves wait for one another in a circle, it forbids each of them in
// turn and tries again, cheapest first.
func (a *assignment) acyclic() SlotOrder {
	const tries = 200 // enough for every case of 8 slots; a bound for the others
	first, _ := a.cheapest(nil)
	queue := []placing{first}
	for range tries {
		if len(queue) == 0 {
			break
		}
		at := 0
		for i := range queue {
			if queue[i].cost < queue[at].cost {
				at = i
			}
		}
		best := queue[at]
		queue = slices.Delete(queue, at, at+1)
		circle := a.circle(best.order)
		if circle == nil {
			return best.order
		}
		for _, s := range circle {
			if next, ok := a.cheapest(append(slices.Clone(best.forbidden), s)); ok {
				queue = append(queue, next)
			}
		}
	}
	return first.order
}

// The parts of a placement's cost, the weightier first.
const (
	costOfWrite    = int64(1) << 50 // a slot whose filter changes
	costOfWaiting  = int64(1) << 40 // a filter that must wait until the one in its slot stands elsewhere
	costImpossible = int64(1) << 60
)

// cheapest finds the cheapest placement that keeps the order of the filters: least[i][j] is the least cost of the first i
// slots holding the first j filters.
func (a *assignment) cheapest(forbidden []seat) (placing, bool) {
	n, k := len(a.before), len(a.filters)
	least := make([][]int64, n+1)
	for i := range least {
		least[i] = make([]int64, k+1)
		for j := range least[i] {
			least[i][j] = costImpossible
		}
	}
	least[0][0] = 0
	for i := range n {
		for j := 0; j <= k; j++ {
			if least[i][j] >= costImpossible {
				continue
			}
			least[i+1][j] = min(least[i+1][j], least[i][j]+a.costUnused(i))
			if j < k && !slices.Contains(forbidden, seat{i, j}) {
				least[i+1][j+1] = min(least[i+1][j+1], least[i][j]+a.cost(i, j))
			}
		}
	}
	if least[n][k] >= costImpossible {
		return placing{}, false
	}
	order := make(SlotOrder, n)
	for i, j := n-1, k; i >= 0; i-- {
		if least[i+1][j] == least[i][j]+a.costUnused(i) {
			continue
		}
		j--
		order[i] = a.filters[j]
	}
	return placing{order: order, cost: least[n][k], forbidden: forbidden}, true
}

func (a *assignment) costUnused(slot int) int64 {
	if a.before[slot] == (Key{}) {
		return 0
	}
	return costOfWrite
}

func (a *assignment) cost(slot, filter int) int64 {
	held := a.before[slot]
	if held == a.filters[filter] {
		return a.uneven(slot, filter)
	}
	cost := costOfWrite + a.uneven(slot, filter)
	if a.wanted[held] {
		cost += costOfWaiting
	}
	return cost
}

// uneven is how far, squared, a seat is from where the filter would be if all were spread evenly.
func (a *assignment) uneven(slot, filter int) int64 {
	n, k := int64(len(a.before)), int64(len(a.filters))
	distance := (2*int64(slot)+1)*k - (2*int64(filter)+1)*n
	return distance * distance
}

// circle finds moves that wait for one another in a circle; nil if there are none.
func (a *assignment) circle(order SlotOrder) []seat {
	now := make(map[Key]int, len(order)) // the slot of each filter in the new order
	for i, key := range order {
		if key != (Key{}) {
			now[key] = i
		}
	}
	for start := range order {
		var path []seat
		for slot, steps := start, 0; steps <= len(order); steps++ {
			key, held := order[slot], a.before[slot]
			if key == (Key{}) || held == key || !a.wanted[held] {
				break
			}
			path = append(path, seat{slot, slices.Index(a.filters, key)})
			if slot = now[held]; slot == start {
				slices.SortFunc(path, func(x, y seat) int { return cmp.Compare(x.slot, y.slot) })
				return path
			}
		}
	}
	return nil
}
