package snapshot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// memoryVersion is raised when older memories can no longer be read.
const memoryVersion = 1

type memoryJSON struct {
	Version   int                 `json:"version"`
	Selection string              `json:"selection,omitempty"`
	Documents []documentJSON      `json:"documents,omitempty"`
	Forms     []filterJSON        `json:"forms,omitempty"` // sorted by key
	Slots     map[string][]string `json:"slots,omitempty"` // "namespace/name", empty for an unused slot
}

type documentJSON struct {
	Origin    Origin              `json:"origin"`
	Key       Key                 `json:"key"`
	Filter    json.RawMessage     `json:"filter,omitempty"`
	Proxy     json.RawMessage     `json:"proxy,omitempty"`
	Positions map[string]Position `json:"positions,omitempty"`
	Files     map[string]File     `json:"files,omitempty"`
}

type filterJSON struct {
	Key    Key      `json:"key"`
	Origin Origin   `json:"origin"`
	Module string   `json:"module,omitempty"`
	Hash   string   `json:"hash"`
	Form   formJSON `json:"form"`
}

// formJSON is all that a filter means; Filter.Hash is over it.
type formJSON struct {
	Phase    Phase        `json:"phase"`
	Priority int32        `json:"priority"`
	Targets  []targetJSON `json:"targets"`
	Wasm     *Wasm        `json:"wasm,omitempty"`
	Lua      string       `json:"lua,omitempty"`
	Native   *nativeJSON  `json:"native,omitempty"`
}

type targetJSON struct {
	Nodes     []byte   `json:"nodes,omitempty"` // marshalled NodeSelector
	Proxy     Key      `json:"proxy"`
	Listeners []string `json:"listeners,omitempty"`
	Ports     []uint32 `json:"ports,omitempty"`
	Direction string   `json:"direction,omitempty"`
	Routes    []string `json:"routes,omitempty"`
}

type nativeJSON struct {
	TypeURL string `json:"type"`
	Value   []byte `json:"value"`
}

// MarshalMemory writes a Memory as JSON, the same bytes for the same Memory. It holds all that the documents refer to,
// private keys of listeners included: keep it where only graft can read it.
func MarshalMemory(m Memory) ([]byte, error) {
	out := memoryJSON{Version: memoryVersion, Selection: m.Selection, Slots: map[string][]string{}}
	for i := range m.Documents {
		doc, err := documentToJSON(&m.Documents[i])
		if err != nil {
			return nil, fmt.Errorf("remember %s: %w", m.Documents[i].Key, err)
		}
		out.Documents = append(out.Documents, doc)
	}
	for _, key := range slices.SortedFunc(maps.Keys(m.Forms), compareKeys) {
		out.Forms = append(out.Forms, filterToJSON(key, m.Forms[key]))
	}
	for listener, order := range m.Slots {
		names := make([]string, len(order))
		for i, key := range order {
			if key != (Key{}) {
				names[i] = nameOf(key)
			}
		}
		out.Slots[listener] = names
	}
	return compactJSON(out)
}

// UnmarshalMemory reads what MarshalMemory wrote. An error means that nothing of it can be used.
func UnmarshalMemory(data []byte) (Memory, error) {
	var in memoryJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return Memory{}, fmt.Errorf("read memory: %w", err)
	}
	if in.Version != memoryVersion {
		return Memory{}, fmt.Errorf("read memory: version %d, this graft reads %d", in.Version, memoryVersion)
	}
	m := Memory{Forms: map[Key]Form{}, Slots: map[string]SlotOrder{}, Selection: in.Selection}
	for _, stored := range in.Documents {
		doc, err := documentFromJSON(stored)
		if err != nil {
			return Memory{}, fmt.Errorf("read memory: %s: %w", stored.Key, err)
		}
		m.Documents = append(m.Documents, doc)
	}
	for _, stored := range in.Forms {
		form, err := filterFromJSON(stored)
		if err != nil {
			return Memory{}, fmt.Errorf("read memory: %s: %w", stored.Key, err)
		}
		m.Forms[stored.Key] = form
	}
	for listener, names := range in.Slots {
		order := make(SlotOrder, len(names))
		for i, name := range names {
			if name != "" {
				order[i] = proxyKey("", name)
				order[i].Kind = kindFilter
			}
		}
		m.Slots[listener] = order
	}
	return m, nil
}

func documentToJSON(d *Document) (documentJSON, error) {
	out := documentJSON{Origin: d.Origin, Key: d.Key, Positions: d.Positions, Files: d.Files}
	var err error
	if d.Filter != nil {
		out.Filter, err = stableJSON(d.Filter)
	} else if d.Proxy != nil {
		out.Proxy, err = stableJSON(d.Proxy)
	}
	return out, err
}

// stableJSON takes out the spaces that protojson puts in at random, lest anybody rely on its bytes.
func stableJSON(m proto.Message) ([]byte, error) {
	data, err := protojson.Marshal(m)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Compact(&out, data)
	return out.Bytes(), err
}

func documentFromJSON(in documentJSON) (Document, error) {
	d := Document{Origin: in.Origin, Key: in.Key, Positions: in.Positions, Files: in.Files}
	var err error
	if in.Filter != nil {
		d.Filter = &graftv1alpha1.Filter{}
		err = protojson.Unmarshal(in.Filter, d.Filter)
	} else if in.Proxy != nil {
		d.Proxy = &graftv1alpha1.Proxy{}
		err = protojson.Unmarshal(in.Proxy, d.Proxy)
	}
	return d, err
}

func filterToJSON(key Key, form Form) filterJSON {
	out := filterJSON{Key: key, Module: form.Module, Hash: form.Filter.Hash, Form: formToJSON(form.Filter)}
	if form.Filter.Origin != nil {
		out.Origin = form.Filter.Origin("")
	}
	return out
}

func filterFromJSON(in filterJSON) (Form, error) {
	filter := &Filter{
		Key: in.Key, Hash: in.Hash, Phase: in.Form.Phase, Priority: in.Form.Priority,
		Wasm: in.Form.Wasm, Lua: in.Form.Lua,
		Origin: func(field string) Origin {
			at := in.Origin
			at.Field = field
			return at
		},
	}
	for _, stored := range in.Form.Targets {
		target := Target{Proxy: stored.Proxy, Listeners: stored.Listeners, Ports: stored.Ports, Direction: stored.Direction, Routes: stored.Routes}
		if stored.Nodes != nil {
			target.Nodes = &graftv1alpha1.NodeSelector{}
			if err := proto.Unmarshal(stored.Nodes, target.Nodes); err != nil {
				return Form{}, err
			}
		}
		filter.Targets = append(filter.Targets, target)
	}
	if native := in.Form.Native; native != nil {
		filter.Native = &anypb.Any{TypeUrl: native.TypeURL, Value: native.Value}
	}
	return Form{Filter: filter, Module: in.Module}, nil
}

func formToJSON(f *Filter) formJSON {
	out := formJSON{Phase: f.Phase, Priority: f.Priority, Wasm: f.Wasm, Lua: f.Lua, Targets: make([]targetJSON, len(f.Targets))}
	for i, t := range f.Targets {
		out.Targets[i] = targetJSON{
			Nodes: selectorBytes(t.Nodes), Proxy: t.Proxy,
			Listeners: t.Listeners, Ports: t.Ports, Direction: t.Direction, Routes: t.Routes,
		}
	}
	if f.Native != nil {
		out.Native = &nativeJSON{TypeURL: f.Native.GetTypeUrl(), Value: f.Native.GetValue()}
	}
	return out
}

// formHash is Filter.Hash. The stamp of the module's file is in it, so that a new file means a new form; whether it does
// anything new is for the digest to say.
func formHash(f *Filter) string {
	data, err := json.Marshal(formToJSON(f))
	if err != nil {
		panic("snapshot: " + f.Key.String() + ": " + err.Error()) // plain data, which JSON can always write
	}
	return hash(data)
}
