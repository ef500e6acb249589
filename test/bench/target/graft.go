package target

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/xds"
)

// graft is the server of this project, with the part of the plane that publishes: parse, build, publish.
type graft struct {
	server *xds.Server
	ctx    context.Context
	cancel context.CancelFunc
	ready  *edition

	mu      sync.Mutex // one publish at a time
	config  *snapshot.Config
	modules map[snapshot.Ref]snapshot.Outcome
	last    *snapshot.Result
}

func newGraft(secure *tls.Config) *graft {
	g := &graft{server: xds.New(xds.Options{TLS: secure})}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	go g.listen()
	return g
}

func (g *graft) serve(lis net.Listener) error { return g.server.Serve(g.ctx, lis) }

func (g *graft) prepare(_ context.Context, e *edition) error {
	g.ready = e
	return nil
}

func (g *graft) push(context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := g.config
	if before == nil {
		before = &snapshot.Config{}
	}
	config, problems := before.Next(g.ready.documents, nil)
	if len(problems) > 0 {
		return fmt.Errorf("parse: %w", problems[0])
	}
	g.config, g.modules = config, g.ready.modules
	return g.publish()
}

// listen builds again whenever a proxy turns up in a group that nobody built.
func (g *graft) listen() {
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-g.server.Wake():
		}
		g.mu.Lock()
		err := g.publish()
		g.mu.Unlock()
		if err != nil {
			panic(fmt.Sprintf("the same documents built before: %v", err))
		}
	}
}

func (g *graft) publish() error {
	if g.config == nil {
		return errors.New("nothing to publish")
	}
	built := snapshot.Build(snapshot.Input{Config: g.config, Modules: g.modules, Groups: g.server.Groups(g.config), Last: g.last})
	if len(built.Problems) > 0 {
		return fmt.Errorf("build: %w", built.Problems[0])
	}
	g.server.Publish(g.config, built)
	g.last = built
	return nil
}

// version is the revision. A state-of-the-world response has one for all its resources, which graft chooses itself.
func (g *graft) version(b body) string { return b.revision }

func (g *graft) stop() { g.cancel() }
