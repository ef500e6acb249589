package plane

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/graft-xds/graft/snapshot"
	"github.com/graft-xds/graft/sources"
)

// world is a Plane with all that it joins, in the hands of a test. It lives in a bubble of synctest: wait lets everything
// happen that can happen without time going on.
type world struct {
	*testing.T
	plane     *Plane
	feeds     map[string]*feed
	modules   *workshop
	publisher *recorder
	memory    *keepsake
	logs      *observer.ObservedLogs
	timings   []Timing
	stop      context.CancelFunc
	ended     chan error
}

// newWorld starts a Plane with sources of these names; what memory holds was left by an earlier one.
func newWorld(t *testing.T, memory *keepsake, names ...string) *world {
	core, logs := observer.New(zapcore.DebugLevel)
	w := &world{
		T: t, feeds: map[string]*feed{}, modules: &workshop{outcomes: make(chan map[snapshot.Ref]snapshot.Outcome, 1)},
		memory: memory, logs: logs, ended: make(chan error, 1),
		publisher: &recorder{wake: make(chan struct{}, 1), nodes: []snapshot.Node{node("envoy")}},
	}
	o := Options{
		Modules: w.modules, Publisher: w.publisher, Logger: zap.New(core), Observe: func(t Timing) { w.timings = append(w.timings, t) },
	}
	if memory != nil {
		w.publisher.journal = memory.note
		o.Memory = memory
	}
	for _, name := range names {
		w.feeds[name] = &feed{name: name, sets: make(chan sources.Set), failed: make(chan error)}
		o.Sources = append(o.Sources, w.feeds[name])
	}
	w.plane = New(o)
	var ctx context.Context
	ctx, w.stop = context.WithCancel(t.Context())
	go func() { w.ended <- w.plane.Run(ctx) }()
	t.Cleanup(func() { w.stop() })
	w.wait()
	return w
}

func (w *world) wait() { synctest.Wait() }

// after lets time go on.
func (w *world) after(d time.Duration) {
	<-time.After(d)
	w.wait()
}

// save is what a user does: the documents are all that the source holds now.
func (w *world) save(source, text string) {
	w.Helper()
	documents, broken := read(w.T, source+".yaml", text)
	w.feeds[source].sets <- sources.Set{Source: source, Documents: documents, Broken: broken}
	w.wait()
}

// published fails the test unless so many results were published since the last time that it was asked.
func (w *world) published(want int, what string) {
	w.Helper()
	w.publisher.mu.Lock()
	defer w.publisher.mu.Unlock()
	if got := len(w.publisher.results) - w.publisher.asked; got != want {
		w.Errorf("%s: %d publishes, want %d", what, got, want)
	}
	w.publisher.asked = len(w.publisher.results)
}

// serves fails the test unless the slot of the listener web has these filters: "melon", "melon(earlier)" for one in an
// earlier form, "melon(deny)" for a deny in its place; "nothing" before the first publish.
func (w *world) serves(want string) {
	w.Helper()
	if got := w.publisher.serving(); got != want {
		w.Errorf("%v: serves %q, want %q", time.Now().Format("05.000"), got, want)
	}
}

// feed is a source whose sets the test sends.
type feed struct {
	name   string
	sets   chan sources.Set
	failed chan error
}

func (f *feed) Name() string { return f.name }

func (f *feed) Run(ctx context.Context, out chan<- sources.Set) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-f.failed:
			return err
		case set := <-f.sets:
			select {
			case out <- set:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// workshop gives modules when the test says so.
type workshop struct {
	outcomes chan map[snapshot.Ref]snapshot.Outcome

	mu     sync.Mutex
	wanted []snapshot.Ref
	asked  int
	hand   map[snapshot.Ref]snapshot.Outcome
}

func (m *workshop) Want(refs []snapshot.Ref) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wanted = slices.Clone(refs)
	m.asked++
}

func (m *workshop) Outcomes() <-chan map[snapshot.Ref]snapshot.Outcome { return m.outcomes }

// bring says what became of each wanted module whose location or digest has this in it.
func (m *workshop) bring(what string, outcome snapshot.Outcome) {
	m.mu.Lock()
	defer m.mu.Unlock()
	hand := map[snapshot.Ref]snapshot.Outcome{}
	for _, ref := range m.wanted {
		if strings.Contains(ref.Location+ref.SHA256, what) {
			hand[ref] = outcome
		} else if before, ok := m.hand[ref]; ok {
			hand[ref] = before
		}
	}
	m.hand = hand
	m.outcomes <- hand
}

func module(text string) *snapshot.Module {
	return &snapshot.Module{Digest: fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))), Bytes: []byte(text), ABI: "0.2.1"}
}

func inHand(text string) snapshot.Outcome { return snapshot.Outcome{Module: module(text)} }

func failed(what string) snapshot.Outcome {
	return snapshot.Outcome{Err: &snapshot.ModuleError{Code: "not-wasm", What: what}}
}

// recorder writes down what is published, for proxies that the test connects.
type recorder struct {
	wake    chan struct{}
	journal func(string)
	hold    chan struct{} // if not nil, Publish waits for it

	mu      sync.Mutex
	nodes   []snapshot.Node
	results []*snapshot.Result
	asked   int
}

func (r *recorder) Wake() <-chan struct{} { return r.wake }

func (r *recorder) Groups(config *snapshot.Config) []snapshot.Group {
	r.mu.Lock()
	defer r.mu.Unlock()
	return PlaceAll(config, r.nodes)
}

func (r *recorder) Publish(_ *snapshot.Config, result *snapshot.Result) {
	if r.hold != nil {
		<-r.hold
	}
	if r.journal != nil {
		r.journal("published")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results = append(r.results, result)
}

func (r *recorder) serving() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.results) == 0 {
		return "nothing"
	}
	result := r.results[len(r.results)-1]
	newest := map[snapshot.Key]string{}
	for _, f := range result.Statuses {
		newest[f.Key] = f.Hash
	}
	var words []string
	for _, resources := range result.Groups {
		if resources.Slots["graft/web"] == nil {
			return "no slot"
		}
		for _, use := range resources.Slots["graft/web"].Uses {
			word := use.Key.Name
			if use.Hash == "" {
				word += "(deny)"
			} else if use.Hash != newest[use.Key] {
				word += "(earlier)"
			}
			words = append(words, word)
		}
		break
	}
	return strings.Join(words, " ")
}

// keepsake is a Memory that goes from one Plane to the next.
type keepsake struct {
	hold chan struct{} // if not nil, Save waits for it

	mu      sync.Mutex
	kept    snapshot.Memory
	loadErr error
	saveErr error
	journal []string
}

func (k *keepsake) note(what string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.journal = append(k.journal, what)
}

// said gives what happened since the last time that it was asked.
func (k *keepsake) said() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	said := strings.Join(k.journal, ", ")
	k.journal = nil
	return said
}

func (k *keepsake) Load() (snapshot.Memory, error) { return k.kept, k.loadErr }

func (k *keepsake) SaveOrder(m snapshot.Memory) error {
	k.note("order saved")
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept.Slots, k.kept.Selection = m.Slots, m.Selection
	return k.saveErr
}

func (k *keepsake) Save(m snapshot.Memory) error {
	if k.hold != nil {
		<-k.hold
	}
	k.note("documents saved")
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept.Documents, k.kept.Forms = m.Documents, m.Forms
	return k.saveErr
}

func node(id string) snapshot.Node {
	return snapshot.Node{ID: id, Traits: snapshot.Traits{FilterChain: true, Wasm: true, Extensions: true}}
}

// web is a Proxy with one listener.
const web = `
kind: Proxy
metadata: {name: edge}
spec:
  listeners: [{name: web, address: "127.0.0.1:10000", routes: [{name: hi, prefix: /, response: {status: 200}}]}]
`

func lua(name, code string) string {
	return fmt.Sprintf("---\nkind: Filter\nmetadata: {name: %s}\nspec: {lua: {code: 'function envoy_on_request() end -- %s'}}\n", name, code)
}

// wasm is a filter whose module is a file; the stamp says that the file is another one.
func wasm(name, stamp string) string {
	return fmt.Sprintf("---\nkind: Filter\nmetadata: {name: %s, labels: {stamp: %q}}\nspec: {wasm: {module: /%s.wasm}}\n", name, stamp, name)
}

// elsewhere makes a filter one for proxies that are not there.
func elsewhere(filter string) string {
	return strings.TrimSuffix(filter, "}\n") + ", targets: [{nodes: {id: nobody}}]}\n"
}

var decoder = sync.OnceValues(sources.NewDecoder)

// read decodes documents, which need not say their apiVersion.
func read(t testing.TB, file, text string) ([]snapshot.Document, []snapshot.Broken) {
	t.Helper()
	d, err := decoder()
	if err != nil {
		t.Fatal(err)
	}
	text = strings.ReplaceAll("\n"+text, "\nkind: ", "\napiVersion: graft.dev/v1alpha1\nkind: ")
	documents, broken := d.Decode(file, []byte(text), sources.DecodeOptions{})
	for i := range documents {
		doc := &documents[i]
		if w := doc.Filter.GetSpec().GetWasm(); w != nil {
			doc.Files = map[string]snapshot.File{w.GetModule(): {Stamp: doc.Filter.GetMetadata().GetLabels()["stamp"]}}
		}
	}
	return documents, broken
}
