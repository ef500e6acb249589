package grafttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/graft-xds/graft/plane"
	"github.com/graft-xds/graft/test/envoytest"
)

// Status is what /status says now.
func (g *Graft) Status() plane.Status {
	g.tb.Helper()
	s, err := g.status()
	if err != nil {
		g.tb.Fatal(err)
	}
	return s
}

func (g *Graft) status() (s plane.Status, err error) {
	res, err := http.Get("http://" + g.Admin + "/status")
	if err != nil {
		return s, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return s, fmt.Errorf("/status: %s", res.Status)
	}
	return s, json.NewDecoder(res.Body).Decode(&s)
}

// AwaitStatus waits until the status meets a condition.
func (g *Graft) AwaitStatus(what string, condition func(plane.Status) error) plane.Status {
	g.tb.Helper()
	var s plane.Status
	envoytest.Eventually(g.tb, Patience, what, func() error {
		s = g.Status()
		return condition(s)
	})
	return s
}

// AwaitAcked waits until every targeted proxy runs the newest form of every filter.
func (g *Graft) AwaitAcked() plane.Status {
	g.tb.Helper()
	return g.AwaitStatus("all filters are acked", func(s plane.Status) error {
		for _, f := range s.Filters {
			if !f.Newest || f.Targeted == 0 || f.Acked != f.Targeted {
				return fmt.Errorf("filter %s: newest %t, targeted %d, acked %d, nacked %d, pending %d, problems %q",
					f.Name, f.Newest, f.Targeted, f.Acked, f.Nacked, f.Pending, f.Problems)
			}
		}
		return nil
	})
}

// AwaitPublished waits until all that was written so far has been published: a filter that no proxy wants is written last,
// and awaited.
func (g *Graft) AwaitPublished() {
	g.tb.Helper()
	g.marks++
	name := fmt.Sprintf("mark-%d", g.marks)
	g.Write("mark.yaml", "apiVersion: graft.dev/v1alpha1\nkind: Filter\nmetadata: {name: "+name+"}\n"+
		"spec:\n  lua: {code: function envoy_on_request() end}\n  targets: [{nodes: {id: nobody}}]\n")
	g.AwaitStatus("what was written is published", func(s plane.Status) error {
		for _, f := range s.Filters {
			if strings.HasSuffix(f.Name, "/"+name) {
				return nil
			}
		}
		return fmt.Errorf("no filter %s", name)
	})
}
