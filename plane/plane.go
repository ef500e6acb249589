// Package plane is the one loop of graft: it takes what the sources hold and what became of the modules, lets snapshot
// decide, and hands the result to the publisher. It is the only package that knows them all.
package plane

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/sources"
)

// Modules brings wanted modules into hand; module.Resolver is one.
type Modules interface {
	// Want replaces the set of wanted refs. It does not block.
	Want([]snapshot.Ref)
	// Outcomes gives the whole state each time that something became of a ref; the latest wins.
	Outcomes() <-chan map[snapshot.Ref]snapshot.Outcome
}

// Publisher brings results to the proxies; xds.Server is one.
type Publisher interface {
	// Groups gives the groups that the connected proxies are in under cfg.
	Groups(cfg *snapshot.Config) []snapshot.Group
	// Publish replaces what the proxies get.
	Publish(cfg *snapshot.Config, res *snapshot.Result)
	// Wake tells that a proxy is in a group that the published result does not have.
	Wake() <-chan struct{}
}

// Memory keeps what must outlive the process; Dir is one.
type Memory interface {
	Load() (snapshot.Memory, error)
	// SaveOrder writes which filter is in which slot: Slots and Selection. It is on the path of an edit.
	SaveOrder(snapshot.Memory) error
	// Save writes the rest, in a goroutine of its own.
	Save(snapshot.Memory) error
}

// Options are the parts that a Plane joins. All but Memory are needed.
type Options struct {
	Sources   []sources.Source
	Modules   Modules
	Publisher Publisher
	Memory    Memory // nil: nothing outlives the process
	Build     snapshot.Options
	Logger    *zap.Logger
	Observe   func(Timing) // called after each publish; nil: nobody listens

	// Patience is how long an edit waits for modules that were wanted just now, so that a save of a document and its
	// module is one edit, and a new proxy is not told to deny while a file is being read. 0 means 1 s.
	Patience time.Duration
}

// Timing is how long the stages of one publish took.
type Timing struct {
	Parse, Modules, Build, Publish time.Duration
}

// Plane is the loop. Make it with New, start it with Run.
type Plane struct {
	o     Options
	state atomic.Pointer[State]

	// All below belongs to the goroutine of Run.
	sets     map[string]sources.Set
	config   *snapshot.Config
	problems []snapshot.Problem // of Parse
	outcomes map[snapshot.Ref]snapshot.Outcome
	wanted   map[snapshot.Ref]time.Time // since when
	last     *snapshot.Result
	memory   snapshot.Memory // of an earlier process, until the first result
	saves    chan snapshot.Memory
	patience *time.Timer
	timing   Timing
	changed  time.Time // when the first set arrived that is not published yet; zero: none
}

// State is what a Plane published last. It is immutable.
type State struct {
	Config   *snapshot.Config
	Result   *snapshot.Result
	Problems []snapshot.Problem // of Parse and Build together, sorted
	Modules  map[snapshot.Ref]snapshot.Outcome
	Options  snapshot.Options
	At       time.Time
}

// New joins the parts.
func New(o Options) *Plane {
	if o.Patience == 0 {
		o.Patience = time.Second
	}
	if o.Observe == nil {
		o.Observe = func(Timing) {}
	}
	return &Plane{
		o:        o,
		sets:     map[string]sources.Set{},
		wanted:   map[snapshot.Ref]time.Time{},
		outcomes: map[snapshot.Ref]snapshot.Outcome{},
		saves:    make(chan snapshot.Memory, 1),
	}
}

// State gives what was published last, nil before the first time. It is safe from any goroutine.
func (p *Plane) State() *State { return p.state.Load() }

// Run joins the parts until ctx ends; then it returns nil. It returns an error if a source gives up.
func (p *Plane) Run(ctx context.Context) error {
	if p.o.Memory != nil {
		memory, err := p.o.Memory.Load()
		if err != nil {
			p.o.Logger.Warn("what an earlier run remembered cannot be read; going on without it", zap.Error(err))
		}
		p.memory = memory
	}
	ctx, cancel := context.WithCancel(ctx)
	var started sync.WaitGroup
	defer func() { cancel(); started.Wait() }()
	started.Go(func() { p.save(ctx) })
	sets, failed := p.watch(ctx, &started)
	p.patience = time.NewTimer(0)
	p.patience.Stop()
	defer p.patience.Stop()
	for {
		// Five things can happen: a source holds something else, something became of a module, a proxy is in a group
		// that nobody built yet, we waited long enough for a module, or it is time to go.
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case set := <-sets:
			p.take(set, sets)
		case outcomes := <-p.o.Modules.Outcomes():
			if !p.arrived(outcomes) {
				continue
			}
		case <-p.o.Publisher.Wake():
		case <-p.patience.C:
		}
		p.publish()
	}
}

// watch starts all sources and merges what they send.
func (p *Plane) watch(ctx context.Context, started *sync.WaitGroup) (<-chan sources.Set, <-chan error) {
	sets, failed := make(chan sources.Set), make(chan error, len(p.o.Sources))
	for _, source := range p.o.Sources {
		started.Go(func() {
			if err := source.Run(ctx, sets); err != nil {
				failed <- fmt.Errorf("source %s: %w", source.Name(), err)
			}
		})
	}
	return sets, failed
}

// take parses the newest set of every source.
func (p *Plane) take(set sources.Set, more <-chan sources.Set) {
	start := time.Now()
	p.sets[set.Source] = set
	for {
		select {
		case set := <-more:
			p.sets[set.Source] = set
			continue
		default:
		}
		break
	}
	if !p.heardAll() {
		return
	}
	all := make([]sources.Set, 0, len(p.sets))
	for _, source := range p.o.Sources {
		all = append(all, p.sets[source.Name()])
	}
	merged := sources.Merge(all)
	if p.config == nil {
		p.config, p.problems = snapshot.Parse(merged.Documents, merged.Broken, p.memory.Documents)
	} else {
		p.config, p.problems = p.config.Next(merged.Documents, merged.Broken)
	}
	if p.changed.IsZero() {
		p.changed, p.timing = start, Timing{}
	}
	p.timing.Parse += time.Since(start)
}

// heardAll says whether every source has sent its first set; before that nothing is published, or what the silent one
// holds would look deleted.
func (p *Plane) heardAll() bool {
	for _, source := range p.o.Sources {
		if _, ok := p.sets[source.Name()]; !ok {
			return false
		}
	}
	return true
}

// remembered is what the last result, or an earlier process, knew.
func (p *Plane) remembered() snapshot.Memory {
	if p.last != nil {
		return p.last.Memory
	}
	return p.memory
}

// publish builds and publishes, unless there is nothing to build from or a module is about to arrive.
func (p *Plane) publish() {
	if p.config == nil {
		return
	}
	if wait := p.want(); wait > 0 {
		p.patience.Reset(wait)
		return
	}
	p.patience.Stop()
	start := time.Now()
	groups := p.o.Publisher.Groups(p.config)
	res := snapshot.Build(snapshot.Input{
		Config: p.config, Modules: p.outcomes, Groups: groups, Last: p.lastResult(), Options: p.o.Build,
	})
	built := time.Now()
	p.commit(res.Memory)
	p.o.Publisher.Publish(p.config, res)
	p.report(start, built, res)
	p.remember(res.Memory)
	p.last = res
	p.want() // a form that was given up is wanted no more
}

// lastResult is what Build continues from; before the first build, that is what an earlier process remembered.
func (p *Plane) lastResult() *snapshot.Result {
	if p.last == nil {
		return &snapshot.Result{Memory: p.memory}
	}
	return p.last
}

// arrived takes what became of the modules, and says whether it is worth a build. It is not where all that is new was
// wanted in case only: the stand-in of a filter whose newest form is in force.
func (p *Plane) arrived(outcomes map[snapshot.Ref]snapshot.Outcome) bool {
	before := p.outcomes
	p.outcomes = outcomes
	state := p.state.Load()
	if state == nil || !p.changed.IsZero() || slices.ContainsFunc(p.last.Statuses, isWaiting) {
		return true
	}
	for ref, outcome := range outcomes {
		was, known := before[ref]
		if outcome != was && (known || ref.Location != "") {
			return true
		}
	}
	now := *state
	now.Modules = outcomes
	p.state.Store(&now)
	return false
}

func isWaiting(f snapshot.FilterState) bool { return f.Waiting }

// want asks for the modules that the configuration needs, and says how much longer to wait for those that were asked
// for just now. No edit waits for longer than Patience, whatever else is saved meanwhile.
func (p *Plane) want() time.Duration {
	refs := snapshot.Wanted(p.config, p.remembered())
	now, wait := time.Now(), time.Duration(0)
	since := make(map[snapshot.Ref]time.Time, len(refs))
	added := false
	for _, ref := range refs {
		at, known := p.wanted[ref]
		if !known {
			at, added = now, true
		}
		since[ref] = at
		inCase := ref.Location == "" && p.last != nil // last forms are at hand, but for those of an earlier process
		if _, here := p.outcomes[ref]; !here && !inCase {
			wait = max(wait, p.o.Patience-now.Sub(at))
		}
	}
	if added || len(since) != len(p.wanted) {
		p.o.Modules.Want(refs)
	}
	p.wanted = since
	if !p.changed.IsZero() {
		wait = min(wait, p.o.Patience-now.Sub(p.changed))
	}
	return wait
}

// report makes the new state visible, and logs what it says that the one before did not.
func (p *Plane) report(start, built time.Time, res *snapshot.Result) {
	problems := make([]snapshot.Problem, 0, len(p.problems)+len(res.Problems))
	problems = append(append(problems, p.problems...), res.Problems...)
	sortProblems(problems)
	before := p.state.Swap(&State{
		Config: p.config, Result: res, Problems: problems, Modules: p.outcomes, Options: p.o.Build, At: built,
	})
	logProblems(p.o.Logger, before, problems)
	if p.changed.IsZero() {
		return
	}
	t := p.timing
	t.Modules = start.Sub(p.changed) - t.Parse
	t.Build, t.Publish = built.Sub(start), time.Since(built)
	p.changed = time.Time{}
	p.o.Logger.Info("published", zap.Int("filters", len(p.config.Filters)), zap.Int("groups", len(res.Groups)),
		zap.Int("problems", len(problems)), zap.Duration("parse", t.Parse), zap.Duration("modules", t.Modules),
		zap.Duration("build", t.Build), zap.Duration("publish", t.Publish))
	p.o.Observe(t)
}
