package plane

import (
	"context"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/graft-xds/graft/snapshot"
)

// commit writes which filter is in which slot before it is published: a graft that is killed the moment after must find it
// there again, or it would send the proxies what they have in other places.
func (p *Plane) commit(m snapshot.Memory) {
	before := p.remembered()
	if p.o.Memory == nil || m.Selection == before.Selection && maps.EqualFunc(m.Slots, before.Slots, sameOrder) {
		return
	}
	if err := p.o.Memory.SaveOrder(m); err != nil {
		p.o.Logger.Error("cannot write the state; a restart would begin without it", zap.Error(err))
	}
}

// sameOrder compares where the orders are before what they are: most are shared from one build to the next.
func sameOrder(a, b snapshot.SlotOrder) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] || slices.Equal(a, b))
}

// remember hands memory to the saver, unless it is what the saver was handed before; the latest wins.
func (p *Plane) remember(m snapshot.Memory) {
	if p.last != nil && sameMemory(m, p.last.Memory) {
		return
	}
	select {
	case <-p.saves:
	default:
	}
	p.saves <- m
}

// sameMemory tells whether nothing has to be saved.
func sameMemory(a, b snapshot.Memory) bool {
	return len(a.Documents) == len(b.Documents) && (len(a.Documents) == 0 || &a.Documents[0] == &b.Documents[0]) &&
		maps.Equal(a.Forms, b.Forms)
}

// saveRest lies between two saves: in a burst of edits all documents need not be written for each.
const saveRest = 100 * time.Millisecond

// save writes what is to be remembered, off the path of an edit, and once more when ctx ends.
func (p *Plane) save(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			select {
			case m := <-p.saves:
				p.store(m)
			default:
			}
			return
		case m := <-p.saves:
			p.store(m)
		}
		select {
		case <-ctx.Done():
		case <-time.After(saveRest):
		}
	}
}

func (p *Plane) store(m snapshot.Memory) {
	if p.o.Memory == nil {
		return
	}
	if err := p.o.Memory.Save(m); err != nil {
		p.o.Logger.Error("cannot write the state; a restart would begin without it", zap.Error(err))
	}
}
