package target

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

func TestBodyIsMeasuredAsTheWireHasIt(t *testing.T) {
	config := []byte("anything")
	b := newBody("graft/web", "r1", config)
	raw, err := proto.Marshal(&anypb.Any{TypeUrl: extensionType, Value: config})
	if err != nil {
		t.Fatal(err)
	}
	if b.size != int64(len(raw)) {
		t.Errorf("size %d, not %d", b.size, len(raw))
	}
}

func TestComposeIsPureAndEditsOneSlot(t *testing.T) {
	slots := []Slot{{Listener: "web", Bytes: 2048}, {Listener: "api", Bytes: Inline}}
	first, again := composed(t, slots), composed(t, slots)
	if diff := cmp.Diff(first.bodies, again.bodies, cmp.AllowUnexported(body{})); diff != "" {
		t.Error("the same slots have other bytes:", diff)
	}
	for i, b := range first.bodies {
		if extra := b.size - int64(slots[i].Bytes); b.name != slots[i].Resource() || extra < 0 || extra > 2048 {
			t.Errorf("%s has %d bytes for %+v", b.name, b.size, slots[i])
		}
	}
	slots[1].Edit++
	if changed := composed(t, slots).since(first.bodies); len(changed) != 1 || changed[0].name != "graft/api" {
		t.Errorf("an edit of api changed %d bodies", len(changed))
	}
}

func composed(t *testing.T, slots []Slot) *edition {
	t.Helper()
	e, err := compose(slots)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestUsageSeesHeapAndPeak(t *testing.T) {
	before := used(t, true)
	if err := resetPeak(); err != nil {
		t.Skip("no clear_refs here:", err)
	}
	const size = 64 << 20
	block := make([]byte, size)
	for i := range block {
		block[i] = 1
	}
	during := used(t, false)
	if grown := during.Heap - before.Heap; grown < size-1<<20 {
		t.Errorf("heap grew by %d", grown)
	}
	clear(block)
	after := used(t, true)
	if after.Peak < before.RSS+size/2 || after.Heap > during.Heap-size/2 || after.CPU < before.CPU || after.Allocated < before.Allocated+size-1<<20 {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

func used(t *testing.T, settle bool) Usage {
	t.Helper()
	u, err := measure(settle)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestUnknownServer(t *testing.T) {
	if _, err := newTarget("nginx", Fleet{}, nil); err == nil || err.Error() != `no server "nginx"` {
		t.Errorf("got %v", err)
	}
}
