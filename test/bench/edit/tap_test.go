package edit

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

func TestFramesFindsDataInAnyPieces(t *testing.T) {
	var wire bytes.Buffer
	wire.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&wire, nil)
	_ = framer.WriteSettings(http2.Setting{ID: http2.SettingEnablePush, Val: 0})
	_ = framer.WriteData(1, false, nil) // empty: says nothing
	_ = framer.WritePing(false, [8]byte{})
	until := wire.Len()
	_ = framer.WriteData(1, false, bytes.Repeat([]byte{0}, 1000)) // a body of zeros looks like frames
	_ = framer.WritePing(false, [8]byte{})
	for _, size := range []int{1, 2, 7, 9, 10, 4096} {
		f := frames{skip: len(http2.ClientPreface)}
		var found []int
		raw := wire.Bytes()
		for at := 0; at < len(raw); at += size {
			if f.data(raw[at:min(at+size, len(raw))]) {
				found = append(found, at)
			}
		}
		if len(found) != 1 || found[0] > until+frameHeader || found[0]+size < until+frameHeader {
			t.Errorf("in pieces of %d: DATA at %v, not at %d", size, found, until)
		}
	}
}

func TestTapPassesAndNotes(t *testing.T) {
	plane, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer plane.Close()
	tap, err := newTap(plane.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer tap.close()
	proxy, err := net.Dial("tcp", tap.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	behind, err := plane.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer behind.Close()

	begin := time.Now()
	if err := http2.NewFramer(behind, nil).WriteData(1, false, []byte("push")); err != nil {
		t.Fatal(err)
	}
	pushed, err := tap.next(t.Context(), begin, true)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, frameHeader+len("push"))
	if _, err := io.ReadFull(proxy, got); err != nil || string(got[frameHeader:]) != "push" {
		t.Errorf("passed %q, %v", got, err)
	}
	if _, err := io.WriteString(proxy, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := http2.NewFramer(proxy, nil).WriteData(1, false, []byte("ack")); err != nil {
		t.Fatal(err)
	}
	acked, err := tap.next(t.Context(), pushed, false)
	if err != nil || !acked.After(pushed) {
		t.Errorf("ACK at %v after push at %v, %v", acked, pushed, err)
	}
}
