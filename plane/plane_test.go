package plane

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/graft-xds/graft/snapshot"
)

// bubble runs a test on a clock of its own.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if _, err := decoder(); err != nil { // made outside, once for all
		t.Fatal(err)
	}
	synctest.Test(t, test)
}

func TestNothingIsPublishedBeforeEverySourceWasHeard(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, nil, "files", "cluster")
		w.save("files", web+lua("melon", "1"))
		w.after(time.Hour)
		w.published(0, "one of two sources was heard")
		if w.plane.State() != nil {
			t.Error("there is a state before the first publish")
		}
		w.save("cluster", lua("lemon", "1"))
		w.published(1, "both sources were heard")
		w.serves("lemon melon")
	})
}

func TestAnEmptySourceIsHeard(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, nil, "files", "cluster")
		w.save("cluster", "")
		w.save("files", web)
		w.published(1, "nothing is something")
	})
}

func TestLatestSetWins(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, nil, "files", "cluster")
		w.save("files", web)
		w.save("cluster", "")
		w.published(1, "start")

		w.publisher.hold = make(chan struct{})
		w.save("files", web+lua("melon", "1")) // its publish takes long
		w.save("files", web+lua("melon", "2"))
		w.save("cluster", lua("lemon", "1"))
		close(w.publisher.hold)
		w.wait()
		w.published(2, "what came meanwhile is one edit")
		w.serves("lemon melon")
	})
}

func TestWhatASourceNoLongerHoldsIsGone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, nil, "files")
		w.save("files", web+lua("melon", "1")+lua("lemon", "1"))
		w.serves("lemon melon")
		w.save("files", web+lua("melon", "1"))
		w.serves("melon")
	})
}

func TestPatience(t *testing.T) {
	const soon, later = 300 * time.Millisecond, 5 * time.Second
	bubble(t, func(t *testing.T) {
		w := newWorld(t, nil, "files")
		w.save("files", web+wasm("melon", "1")+lua("lemon", "1"))
		w.published(0, "the module is being read")
		w.after(soon)
		w.modules.bring("melon", inHand("melon 1"))
		w.wait()
		w.published(1, "a document and its module are one edit")
		w.serves("lemon melon")
		w.after(later)
		w.published(0, "nothing is left to do")
		if got, want := w.timings, []Timing{{Modules: soon}}; len(got) != 1 || got[0] != want[0] {
			t.Errorf("timings %v, want %v", got, want)
		}

		w.save("files", web+wasm("melon", "2")+lua("lemon", "2"))
		w.after(999 * time.Millisecond)
		w.published(0, "the new module is being read")
		w.serves("lemon melon")
		w.after(time.Millisecond)
		w.published(1, "others do not wait for longer than a second")
		w.after(later)
		w.published(0, "the module is still on its way")
		w.modules.bring("melon", inHand("melon 2"))
		w.wait()
		w.published(1, "the module came after all")
		w.serves("lemon melon")
	})
}

// TestOthersDoNotWaitForAModuleThatKeepsChanging saves a module again and again before it could be read.
func TestOthersDoNotWaitForAModuleThatKeepsChanging(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, nil, "files")
		w.save("files", web+lua("lemon", "1"))
		w.published(1, "start")
		for _, stamp := range strings.Fields("1 2 3 4 5") {
			w.save("files", web+elsewhere(wasm("melon", stamp))+lua("lemon", stamp))
			w.after(600 * time.Millisecond)
		}
		w.published(2, "three seconds of saves, of which the first and the third had to wait for a second")
		w.serves("lemon")
	})
}

// TestAFirstContactDoesNotDenyWhileAModuleIsRead connects a proxy in the second in which graft starts.
func TestAFirstContactDoesNotDenyWhileAModuleIsRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, nil, "files", "cluster")
		w.save("files", web+wasm("melon", "1"))
		w.after(10 * time.Second) // for the other source
		w.save("cluster", "")
		w.publisher.wake <- struct{}{}
		w.wait()
		w.published(0, "the module is wanted since now only")
		w.modules.bring("melon", inHand("melon"))
		w.wait()
		w.published(1, "the module came")
		w.serves("melon")
	})
}

func TestAModuleThatNeverCame(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, nil, "files")
		w.save("files", web+wasm("melon", "1")+lua("lemon", "1"))
		w.after(time.Second)
		w.serves("lemon melon(deny)")
		w.modules.bring("melon", failed("not a module"))
		w.wait()
		w.serves("lemon melon(deny)")
		w.published(2, "the second because of what the module turned out to be")
		if problems := w.plane.State().Problems; len(problems) != 1 || problems[0].What != "not a module" {
			t.Errorf("problems %v", problems)
		}
	})
}

// TestAModuleInCaseIsNoReasonToBuild: once a module is in force it is wanted by its digest too, to stand in for the next.
func TestAModuleInCaseIsNoReasonToBuild(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, nil, "files")
		w.save("files", web+wasm("melon", "1"))
		w.modules.bring("melon", inHand("melon 1"))
		w.wait()
		w.published(1, "start")
		hex := strings.TrimPrefix(module("melon 1").Digest, "sha256:")
		w.modules.bring(hex, inHand("melon 1"))
		w.wait()
		w.published(0, "nobody asked for it")
		if _, ok := w.plane.State().Modules[snapshot.Ref{SHA256: hex}]; !ok {
			t.Error("the state does not know it")
		}
		w.save("files", web+wasm("melon", "2"))
		w.modules.bring("/melon", failed("not a module"))
		w.wait()
		w.published(1, "the new module is bad")
		w.serves("melon(earlier)")
	})
}

// TestWantIsAskedOnlyForSomethingElse counts what the resolver is bothered with.
func TestWantIsAskedOnlyForSomethingElse(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, nil, "files")
		w.save("files", web+wasm("melon", "1"))
		w.modules.bring("melon", inHand("melon 1"))
		w.wait()
		asked := w.modules.asked
		w.save("files", web+wasm("melon", "1")+lua("lemon", "1"))
		w.save("files", web+wasm("melon", "1")+lua("lemon", "2"))
		if w.modules.asked != asked {
			t.Error("it was asked for the same again")
		}
		w.save("files", web)
		if len(w.modules.wanted) != 0 {
			t.Errorf("it is asked for %v, which nobody needs", w.modules.wanted)
		}
	})
}

func TestANewProxyIsBuiltFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, nil, "files")
		w.save("files", web+lua("melon", "1")+strings.Replace(web, "{name: edge}", "{name: inner}", 1))
		w.published(1, "start")
		old := node("old")
		old.Traits.FilterChain = false
		w.publisher.nodes = append(w.publisher.nodes, old)
		w.publisher.wake <- struct{}{}
		w.wait()
		w.published(1, "a proxy of another kind")
		if groups := w.plane.State().Result.Groups; len(groups) != 2 {
			t.Errorf("%d groups, want 2", len(groups))
		}
		if len(w.timings) != 1 {
			t.Errorf("%d timings: only edits are measured", len(w.timings))
		}
	})
}

func TestABrokenDocumentKeepsItsLastForm(t *testing.T) {
	bubble(t, func(t *testing.T) {
		memory := &keepsake{}
		w := newWorld(t, memory, "files")
		w.save("files", web+wasm("melon", "1")+lua("lemon", "1"))
		w.modules.bring("melon", inHand("melon 1"))
		w.wait()
		w.serves("lemon melon")

		const broken = "---\nkind: Filter\nmetadata: {name: melon}\nspec: {wsam: {}}\n"
		w.save("files", web+broken+lua("lemon", "2"))
		w.serves("lemon melon")
		if problems := w.plane.State().Problems; len(problems) != 1 || problems[0].Hint != `did you mean "wasm"?` {
			t.Errorf("problems %+v", problems)
		}
		w.stop()
		if err := <-w.ended; err != nil {
			t.Fatal(err)
		}

		w = newWorld(t, memory, "files")
		w.save("files", web+broken+lua("lemon", "2"))
		w.modules.bring("", inHand("melon 1"))
		w.wait()
		w.serves("lemon melon")
		w.published(1, "the module of the last form is in hand")
	})
}

// TestARefusedModuleAfterARestart: the last good form comes from memory, its module by its digest from the store.
func TestARefusedModuleAfterARestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		memory := &keepsake{}
		w := newWorld(t, memory, "files")
		w.save("files", web+wasm("melon", "1"))
		w.modules.bring("melon", inHand("melon 1"))
		w.wait()
		w.stop()
		<-w.ended

		w = newWorld(t, memory, "files")
		w.save("files", web+wasm("melon", "2"))
		w.modules.bring("/melon", failed("not a module"))
		w.wait()
		w.published(0, "what stands in is being read")
		w.modules.bring(strings.TrimPrefix(module("melon 1").Digest, "sha256:"), inHand("melon 1"))
		w.wait()
		w.published(1, "it is in hand")
		w.serves("melon(earlier)")
	})
}

func TestMemoryThatCannotBeRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, &keepsake{loadErr: errors.New("no disk")}, "files")
		w.save("files", web+lua("melon", "1"))
		w.serves("melon")
		if w.logs.FilterMessageSnippet("going on without it").Len() != 1 {
			t.Error("nobody was told")
		}
	})
}

func TestOrderIsSavedBeforeItIsPublished(t *testing.T) {
	bubble(t, func(t *testing.T) {
		memory := &keepsake{}
		w := newWorld(t, memory, "files")
		for _, step := range []struct{ what, documents, want string }{
			{"start", web + lua("melon", "1"), "order saved, published, documents saved"},
			{"an edit that moves nothing", web + lua("melon", "2"), "published, documents saved"},
			{"a filter more", web + lua("melon", "2") + lua("lemon", "1"), "order saved, published, documents saved"},
			{"one less", web + lua("lemon", "1"), "order saved, published, documents saved"},
			{"a filter for other proxies", web + lua("lemon", "1") + elsewhere(lua("plum", "1")), "order saved, published, documents saved"},
		} {
			w.save("files", step.documents)
			w.after(saveRest)
			if got := memory.said(); got != step.want {
				t.Errorf("%s: %s; want %s", step.what, got, step.want)
			}
		}
		w.publisher.wake <- struct{}{}
		w.wait()
		if got := memory.said(); got != "published" {
			t.Errorf("a proxy more: %s; nothing is to be saved", got)
		}
	})
}

func TestSavesAreOffThePath(t *testing.T) {
	bubble(t, func(t *testing.T) {
		memory := &keepsake{hold: make(chan struct{})}
		w := newWorld(t, memory, "files")
		for _, code := range strings.Fields("1 2 3 4 5") {
			w.save("files", web+lua("melon", code))
		}
		w.published(5, "the disk is slow")
		w.stop()
		w.wait()
		select {
		case err := <-w.ended:
			t.Errorf("it ended (%v) before the last was saved", err)
		default:
		}
		close(memory.hold)
		if err := <-w.ended; err != nil {
			t.Error(err)
		}
		said := memory.said()
		if got := strings.Count(said, "documents saved"); got != 2 {
			t.Errorf("%d saves, want the one that hung and the latest", got)
		}
		if code := memory.kept.Documents[0].Filter.GetSpec().GetLua().GetCode(); !strings.HasSuffix(code, "5") {
			t.Errorf("saved last: %s", code)
		}
	})
}

func TestABurstOfEditsIsSavedTwice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		memory := &keepsake{}
		w := newWorld(t, memory, "files")
		for _, code := range strings.Fields("1 2 3 4 5") {
			w.save("files", web+lua("melon", code))
		}
		w.after(saveRest)
		w.published(5, "each edit")
		if got := strings.Count(memory.said(), "documents saved"); got != 2 {
			t.Errorf("%d saves, want the first at once, and the latest", got)
		}
		if code := memory.kept.Documents[0].Filter.GetSpec().GetLua().GetCode(); !strings.HasSuffix(code, "5") {
			t.Errorf("saved last: %s", code)
		}
	})
}

func TestADiskThatIsFullStopsNoEdit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, &keepsake{saveErr: errors.New("no space left")}, "files")
		w.save("files", web+lua("melon", "1"))
		w.serves("melon")
		if w.logs.FilterMessageSnippet("cannot write the state").Len() == 0 {
			t.Error("nobody was told")
		}
	})
}

func TestASourceThatGivesUpEndsRun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, nil, "files", "cluster")
		cause := errors.New("no such API server")
		w.feeds["cluster"].failed <- cause
		err := <-w.ended
		if !errors.Is(err, cause) || err.Error() != "source cluster: no such API server" {
			t.Errorf("Run gave %v", err)
		}
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, nil, "files")
		w.save("files", web+wasm("melon", "1")) // and while it waits for a module
		w.stop()
		if err := <-w.ended; err != nil {
			t.Errorf("Run gave %v", err)
		}
	})
}
