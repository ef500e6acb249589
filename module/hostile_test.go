package module

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/graft-xds/graft/snapshot"
)

// TestInspectIsBoundedByTheInput holds what a small file can make Inspect allocate. A decoder that trusts counts has been
// seen to take more than a gigabyte for 15 bytes.
func TestInspectIsBoundedByTheInput(t *testing.T) {
	const huge = "\xff\xff\xff\xff\x0f"
	hostile := [][]byte{}
	for id := range byte(14) {
		hostile = append(hostile, header([]byte{id}, []byte(huge), []byte(huge)), header(section(id, []byte(huge))), header(section(id, []byte(huge), []byte(huge))))
	}
	parameters := cat([]byte{formFunc}, uleb(1000), bytes.Repeat([]byte{0x7f}, 1000), []byte{0})
	imports := make([][]byte, 20_000) // each of a type with a long text
	for i := range imports {
		imports[i] = []byte{0, 0, 0, 0}
	}
	hostile = append(hostile, header(vector(1, [][]byte{parameters}), vector(2, imports)))
	exports := make([][]byte, 20_000)
	for i := range exports {
		exports[i] = cat(text(fmt.Sprint(i)), []byte{0, 0})
	}
	hostile = append(hostile, header(vector(1, [][]byte{parameters}), vector(3, [][]byte{{0}}), vector(7, exports)))

	for _, binary := range hostile {
		if got, limit := allocated(func() { _, _ = Inspect(binary) }), uint64(4096+40*len(binary)); got > limit {
			t.Errorf("%d bytes for a file of %d: % x…", got, len(binary), binary[:min(24, len(binary))])
		}
	}
}

// allocated counts the bytes that f allocates, kept or not.
func allocated(f func()) uint64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// FuzzInspect holds that no input makes Inspect panic, allocate out of proportion, or fail without a text to show.
func FuzzInspect(f *testing.F) {
	s := melon()
	s.tail = [][]byte{section(12, []byte{1}), section(11, []byte{1, 1, 5}, []byte("melon")), custom("name", 1, 3, 1, 0, 0)}
	f.Add(s.bytes())
	f.Add(melon().bytes())
	f.Add(header())
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x02\x05\xff\xff\xff\xff\x0f"))
	f.Add([]byte("\x00asm\x0d\x00\x01\x00"))
	f.Add([]byte("(module)"))
	f.Fuzz(func(t *testing.T, binary []byte) {
		i, err := Inspect(binary)
		if err == nil {
			if i.Size != len(binary) || len(i.Imports) > len(binary)/4 || len(i.Exports) > len(binary)/3 {
				t.Errorf("more than the file can hold: %+v", i)
			}
			err = i.Check()
		}
		var e *snapshot.ModuleError
		if err != nil && (!errors.As(err, &e) || e.Code == "" || e.What == "") {
			t.Errorf("an error that cannot be shown: %#v", err)
		}
	})
}
