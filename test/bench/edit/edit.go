// Package edit measures what a user feels: a file is saved, a real Envoy changes. The time is split at what can be seen from
// outside, the messages between graft and Envoy, and by what graft says of its own stages.
package edit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/graft-xds/graft/test/envoytest"
	"github.com/graft-xds/graft/test/filters"
)

// Split is one edit: how long after the save what happened.
type Split struct {
	Watch   time.Duration // until graft had the new documents, and whatever no other stage claims
	Parse   time.Duration
	Modules time.Duration
	Build   time.Duration
	Publish time.Duration
	Plane   time.Duration // all that until the push left graft
	Envoy   time.Duration // from the push to the ACK
	ACK     time.Duration // from the save to the ACK
	Answer  time.Duration // from the save to the first answer of the new filter
}

// Rig is an Envoy under a little load, a tap and a graft.
type Rig struct {
	folder string
	graft  *envoytest.Graft
	tap    *tap
	envoy  *envoytest.Envoy
	load   *envoytest.Load
	number int
}

// Start builds graft and starts all of it. It takes an Envoy binary.
func Start(ctx context.Context, envoy string) (*Rig, error) {
	folder, err := os.MkdirTemp("", "graft-bench-edit-")
	if err != nil {
		return nil, err
	}
	r := &Rig{folder: folder}
	if err := r.start(ctx, envoy); err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	return r, nil
}

func (r *Rig) start(ctx context.Context, binary string) error {
	ports, err := envoytest.FreePorts(1)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.folder, "filter.wasm"), filters.Configurable(), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.folder, "edge.yaml"), fmt.Appendf(nil, edge, ports[0]), 0o644); err != nil {
		return err
	}
	if err := r.save(kinds()["config"]); err != nil {
		return err
	}
	program := filepath.Join(r.folder, "graft")
	if err := envoytest.BuildGraft(ctx, program); err != nil {
		return err
	}
	if r.graft, err = envoytest.LaunchGraft(ctx, envoytest.GraftOptions{Binary: program, Config: r.folder}); err != nil {
		return err
	}
	if r.tap, err = newTap(r.graft.XDS); err != nil {
		return err
	}
	bootstrap, err := r.graft.Bootstrap("bench-1", "bench", "--xds", r.tap.addr())
	if err != nil {
		return err
	}
	if r.envoy, err = envoytest.Launch(ctx, envoytest.Options{Binary: binary, Bootstrap: bootstrap}); err != nil {
		return err
	}
	if err := r.envoy.Ready(ctx); err != nil {
		return err
	}
	r.load = envoytest.NewLoad(envoytest.LoadOptions{
		URL: "http://127.0.0.1:" + strconv.Itoa(ports[0]) + "/", Connections: 4, Pause: time.Millisecond,
	})
	_, err = r.load.Until(ctx, r.serves)
	return err
}

const edge = `apiVersion: graft.dev/v1alpha1
kind: Proxy
metadata: {name: edge}
spec:
  listeners:
  - name: web
    address: 127.0.0.1:%d
    routes: [{prefix: /, response: {status: 200, body: "hi\n"}}]
`

// kinds are the edits that are measured, by name: each a document with a place for the value that answers then carry.
func kinds() map[string]string {
	const head = "apiVersion: graft.dev/v1alpha1\nkind: Filter\nmetadata: {name: melon}\nspec:\n"
	return map[string]string{
		"config": head + "  wasm: {module: ./filter.wasm, config: %s}\n",
		"lua":    head + "  lua: {code: 'function envoy_on_response(h) h:headers():add(\"hello\", \"%s\") end'}\n",
	}
}

// save writes the next value as careful editors do: a new file under another name, then a rename.
func (r *Rig) save(document string) error {
	r.number++
	next := filepath.Join(r.folder, ".melon.yaml.next")
	if err := os.WriteFile(next, fmt.Appendf(nil, document, r.value()), 0o644); err != nil {
		return err
	}
	return os.Rename(next, filepath.Join(r.folder, "melon.yaml"))
}

func (r *Rig) value() string { return "v" + strconv.Itoa(r.number) }

func (r *Rig) serves(a envoytest.Answer) bool { return a.Header.Get("hello") == r.value() }

// Edit saves one edit of a kind ("config", "lua") and waits for everything that follows.
func (r *Rig) Edit(ctx context.Context, kind string) (Split, error) {
	document, ok := kinds()[kind]
	if !ok {
		return Split{}, fmt.Errorf("no kind of edit %q", kind)
	}
	before, err := readStages(ctx, r.graft.Admin)
	if err != nil {
		return Split{}, err
	}
	want := "v" + strconv.Itoa(r.number+1)
	answered := r.load.Watch(func(a envoytest.Answer) bool { return a.Header.Get("hello") == want })
	r.tap.forget()

	saved := time.Now()
	if err := r.save(document); err != nil {
		return Split{}, err
	}
	pushed, err := r.tap.next(ctx, saved, true)
	if err != nil {
		return Split{}, err
	}
	acked, err := r.tap.next(ctx, pushed, false)
	if err != nil {
		return Split{}, err
	}
	first, err := answered(ctx)
	if err != nil {
		return Split{}, err
	}
	after, err := readStages(ctx, r.graft.Admin)
	if err != nil {
		return Split{}, err
	}
	spent := after.since(before)
	s := Split{
		Parse: spent["parse"], Modules: spent["modules"], Build: spent["build"], Publish: spent["publish"],
		Plane: pushed.Sub(saved), Envoy: acked.Sub(pushed), ACK: acked.Sub(saved), Answer: first.Came.Sub(saved),
	}
	s.Watch = max(0, s.Plane-s.Parse-s.Modules-s.Build-s.Publish)
	return s, nil
}

// Stop ends everything and tells whether a request failed or a connection was closed meanwhile.
func (r *Rig) Stop() error {
	var failures []error
	if r.load != nil {
		if totals := r.load.Stop(); totals.Failures > 0 || totals.Closes > 0 {
			failures = append(failures, fmt.Errorf("the load saw failures: %v", totals))
		}
	}
	if r.envoy != nil {
		r.envoy.Kill()
	}
	if r.tap != nil {
		r.tap.close()
	}
	if r.graft != nil {
		failures = append(failures, r.graft.Stop())
	}
	return errors.Join(append(failures, os.RemoveAll(r.folder))...)
}
