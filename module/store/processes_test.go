package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/graft-xds/graft/module/store"
)

// TestManyAtOnce puts and reads the same blobs through several stores on one folder, while one of them is damaged again and
// again: nobody is ever handed wrong bytes.
func TestManyAtOnce(t *testing.T) {
	_, dir := open(t)
	var wg sync.WaitGroup
	for worker := range 8 {
		s, err := store.New(dir)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			for n := range 20 {
				data := bytes.Repeat([]byte{byte(n % 3)}, 10_000)
				d := store.Digest(data)
				if worker == 0 && n%5 == 4 {
					_ = os.Truncate(s.Path(d), 100)
					continue
				}
				if err := s.Put(d, data); err != nil {
					t.Error(err)
				}
				got, err := s.Read(d)
				if err == nil && !bytes.Equal(got, data) {
					t.Error("wrong bytes")
				}
				if err != nil && !errors.Is(err, store.ErrCorrupt) && !errors.Is(err, store.ErrNotFound) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	left, _ := filepath.Glob(filepath.Join(dir, "ingest", "*"))
	if len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

// TestAKilledWriterLeavesNoHalfBlob kills a process that writes blobs, at some moment, and looks at what it left.
func TestAKilledWriterLeavesNoHalfBlob(t *testing.T) {
	if dir := os.Getenv("GRAFT_TEST_WRITE_UNTIL_KILLED"); dir != "" {
		writeUntilKilled(dir)
	}
	s, dir := open(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "GRAFT_TEST_WRITE_UNTIL_KILLED="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 5)); err != nil { // five blobs are in
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()

	blobs, err := s.List()
	if err != nil || len(blobs) < 5 {
		t.Fatalf("%d blobs, %v", len(blobs), err)
	}
	for _, b := range blobs {
		if _, err := s.Read(b.Digest); err != nil {
			t.Error(err)
		}
	}
}

func writeUntilKilled(dir string) {
	s, err := store.New(dir)
	for n := 0; err == nil; n++ {
		data := bytes.Repeat([]byte(fmt.Sprintf("%8d", n)), 100_000)
		err = s.Put(store.Digest(data), data)
		fmt.Print(".")
	}
	panic(err)
}
