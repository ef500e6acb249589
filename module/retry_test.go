package module

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/graft-xds/graft/snapshot"
)

// TestRetryTellsOnlyWhatLasts runs on a clock of its own.
func TestRetryTellsOnlyWhatLasts(t *testing.T) {
	hiccup, lost := failure(CodeUnreadable, "hiccup", ""), failure(CodeMissing, "missing", "")
	fine := snapshot.Outcome{Module: &snapshot.Module{Digest: "fine"}}
	unkept := snapshot.Outcome{Module: fine.Module, Err: &snapshot.ModuleError{Code: CodeStore, What: "disk full"}}
	for _, c := range []struct {
		name  string
		tries []snapshot.Outcome // all but the last may pass
		told  string
	}{
		{"at once", []snapshot.Outcome{fine}, "0s fine"},
		{"missing", []snapshot.Outcome{lost}, "0s missing"},
		{"a hiccup", []snapshot.Outcome{hiccup, hiccup, fine}, "300ms fine"},
		{"it lasts", []snapshot.Outcome{hiccup, hiccup, hiccup, hiccup, fine}, "300ms hiccup, 700ms hiccup, 1.5s fine"},
		{"a module to use meanwhile", []snapshot.Outcome{unkept, fine}, "0s disk full, 100ms fine"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var told []string
				n := 0
				try := func() (snapshot.Outcome, bool) { n++; return c.tries[n-1], n < len(c.tries) }
				retry(t.Context(), 100*time.Millisecond, try, func(o snapshot.Outcome) {
					text := "fine"
					if o.Err != nil {
						text = o.Err.What
					}
					told = append(told, fmt.Sprint(time.Since(begin), " ", text))
				})
				if diff := cmp.Diff(c.told, strings.Join(told, ", ")); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestRetryEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		tries := 0
		try := func() (snapshot.Outcome, bool) { tries++; return failure(CodeUnreadable, "hiccup", ""), true }
		retry(ctx, 100*time.Millisecond, try, func(snapshot.Outcome) {})
		if tries < 100 || tries > 140 { // every 30 s at last
			t.Errorf("%d tries in an hour", tries)
		}
	})
}

func TestWhichReadErrorsMayPass(t *testing.T) {
	for err, again := range map[error]bool{
		fs.ErrNotExist: false, fs.ErrPermission: false, syscall.ENOTDIR: false, syscall.ELOOP: false, errTooLarge: false, errNoFile: false,
		syscall.EIO: true, syscall.EMFILE: true, syscall.ESTALE: true, errChanged: true,
	} {
		wrapped := &fs.PathError{Op: "read", Path: "/melon.wasm", Err: err}
		if o, got := unreadable("/melon.wasm", wrapped); got != again || o.Err == nil {
			t.Errorf("%v: again %t, %v", err, got, o.Err)
		}
	}
}
