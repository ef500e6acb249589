package target

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"

	"google.golang.org/protobuf/types/known/structpb"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
	"github.com/graft-xds/graft/snapshot"
)

// Cluster is the node cluster of the proxies that the edition is for.
const Cluster = "bench"

// compose makes an edition: the documents that a user would have written, the modules that they name, and the resources
// that graft's own translation makes of them, which are what every server sends.
func compose(slots []Slot) (*edition, error) {
	e := &edition{modules: map[snapshot.Ref]snapshot.Outcome{}}
	e.documents = append(e.documents, proxyDocument(slots))
	for _, s := range slots {
		document, module := s.filter()
		e.documents = append(e.documents, document)
		e.modules[snapshot.Ref{Location: document.Filter.GetSpec().GetWasm().GetModule(), Stamp: module.Digest}] = snapshot.Outcome{Module: module}
	}
	config, problems := snapshot.Parse(e.documents, nil, nil)
	if len(problems) > 0 {
		return nil, fmt.Errorf("parse: %w", problems[0])
	}
	group := config.Place(snapshot.Node{Cluster: Cluster, Traits: snapshot.Traits{FilterChain: true, Wasm: true, Extensions: true}}, nil, "")
	built := snapshot.Build(snapshot.Input{Config: config, Modules: e.modules, Groups: []snapshot.Group{group}})
	if len(built.Problems) > 0 {
		return nil, fmt.Errorf("build: %w", built.Problems[0])
	}
	for _, s := range slots {
		content := built.Groups[group.Key].Slots[s.Resource()]
		if content == nil {
			return nil, fmt.Errorf("build: no slot %s", s.Resource())
		}
		made := content.Render(snapshot.Variant{})
		e.bodies = append(e.bodies, newBody(made.Name, made.Version, made.Body))
	}
	return e, nil
}

// proxyDocument has a listener for each slot.
func proxyDocument(slots []Slot) snapshot.Document {
	spec := &graftv1alpha1.ProxySpec{}
	for i, s := range slots {
		spec.Listeners = append(spec.Listeners, &graftv1alpha1.Listener{
			Name: s.Listener, Address: fmt.Sprintf("127.0.0.1:%d", 10000+i),
			Routes: []*graftv1alpha1.Route{{
				Match:  &graftv1alpha1.Route_Prefix{Prefix: "/"},
				Action: &graftv1alpha1.Route_Response{Response: &graftv1alpha1.DirectResponse{Status: 200}},
			}},
		})
	}
	return snapshot.Document{
		Key: snapshot.Key{Kind: "Proxy", Namespace: "default", Name: "edge"},
		Proxy: &graftv1alpha1.Proxy{
			ApiVersion: "graft.dev/v1alpha1", Kind: "Proxy", Metadata: &graftv1alpha1.ObjectMeta{Name: "edge"}, Spec: spec,
		},
	}
}

// filter is the one filter of the slot: a module whose size, or whose configuration's, is that of the slot.
func (s Slot) filter() (snapshot.Document, *snapshot.Module) {
	bytes, config := s.noise(200, 0), string(letters(s.noise(s.Bytes, s.Edit)))
	if s.Bytes >= Inline {
		bytes, config = s.noise(s.Bytes, s.Edit), ""
	}
	sum := sha256.Sum256(bytes)
	module := &snapshot.Module{Digest: "sha256:" + hex.EncodeToString(sum[:]), Bytes: bytes, ABI: "0.2.1"}
	path := "/modules/" + s.Listener + ".wasm"
	return snapshot.Document{
		Key:   snapshot.Key{Kind: "Filter", Namespace: "default", Name: s.Listener},
		Files: map[string]snapshot.File{path: {Stamp: module.Digest}},
		Filter: &graftv1alpha1.Filter{
			ApiVersion: "graft.dev/v1alpha1", Kind: "Filter", Metadata: &graftv1alpha1.ObjectMeta{Name: s.Listener},
			Spec: &graftv1alpha1.FilterSpec{
				Implementation: &graftv1alpha1.FilterSpec_Wasm{Wasm: &graftv1alpha1.Wasm{
					Module: path, Config: structpb.NewStringValue(config), Delivery: "inline",
				}},
				Targets: []*graftv1alpha1.Target{{Listeners: []string{s.Listener}}},
			},
		},
	}, module
}

// Resource is the name of the slot's ECDS resource.
func (s Slot) Resource() string { return snapshot.SlotPrefix + s.Listener }

// noise gives bytes that depend on the listener and the edit alone and that nothing can compress. They are no program: no
// server under test looks into a module.
func (s Slot) noise(size, edit int) []byte {
	seed := sha256.Sum256(fmt.Appendf(nil, "%s %d", s.Listener, edit))
	made := make([]byte, size)
	_, _ = rand.NewChaCha8(seed).Read(made) // never fails
	return made
}

// letters makes text of noise.
func letters(noise []byte) []byte {
	for i, b := range noise {
		noise[i] = 'a' + b%26
	}
	return noise
}
