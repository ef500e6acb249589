package plane

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/sources"
)

func offline(t *testing.T, text string) Offline {
	documents, broken := read(t, "a.yaml", text)
	return Offline{
		Set:     sources.Set{Source: "file", Documents: documents, Broken: broken},
		Modules: &workshop{outcomes: make(chan map[snapshot.Ref]snapshot.Outcome, 1)},
	}
}

func TestOfflineWaitsForEveryModule(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := offline(t, web+wasm("melon", "1")+wasm("lemon", "1")+"---\nkind: Filter\nmetadata: {name: plum}\nspec: {lau: {}}\n")
		done := make(chan *Preview, 1)
		go func() {
			p, err := o.Run(t.Context(), ExampleGroups)
			if err != nil {
				t.Error(err)
			}
			done <- p
		}()
		synctest.Wait()
		modules := o.Modules.(*workshop)
		modules.bring("melon", inHand("melon"))
		synctest.Wait()
		modules.bring("lemon", failed("not a module"))
		p := <-done
		var what []string
		for _, problem := range p.Problems {
			what = append(what, problem.What)
		}
		if diff := cmp.Diff([]string{"not a module", `unknown field "lau"`}, what); diff != "" {
			t.Errorf("problems, by place:\n%s", diff)
		}
		if uses := p.Result.Groups[p.Groups[0].Key].Slots["graft/web"].Uses; len(uses) != 2 {
			t.Errorf("the chain has %v", uses)
		}
	})
}

func TestOfflineEndsWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := offline(t, wasm("melon", "1")).Run(ctx, ExampleGroups)
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "/melon.wasm") {
			t.Errorf("error %v", err)
		}
	})
}

// TestExamples: a node for each Proxy, that its selector means.
func TestExamples(t *testing.T) {
	for _, c := range []struct{ name, documents, want string }{
		{"no Proxy", lua("melon", "1"), "example@example"},
		{"any node", web, "edge@edge"},
		{"by cluster", strings.Replace(web, "spec:", "spec:\n  nodes: {cluster: front}", 1), "edge@front"},
		{"by a pattern", strings.Replace(web, "spec:", "spec:\n  nodes: {id: 'edge-*'}", 1), "edge-1@edge"},
		{"by a label", strings.Replace(web, "spec:", "spec:\n  nodes: {matchLabels: {app: web}}", 1), "edge@edge app=web"},
	} {
		t.Run(c.name, func(t *testing.T) {
			documents, broken := read(t, "a.yaml", c.documents)
			if len(broken) > 0 {
				t.Fatal(broken)
			}
			config, _ := snapshot.Parse(documents, nil, nil)
			var got []string
			for _, n := range Examples(config) {
				text := n.ID + "@" + n.Cluster
				for k, v := range n.Labels {
					text += " " + k + "=" + v
				}
				got = append(got, text)
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("%v, want %s", got, c.want)
			}
			res := snapshot.Build(snapshot.Input{Config: config, Groups: ExampleGroups(config)})
			for _, resources := range res.Groups {
				if len(config.Proxies) > 0 && len(resources.Types[snapshot.ListenerType]) != 1 {
					t.Error("the Proxy does not select its own example")
				}
			}
		})
	}
}
