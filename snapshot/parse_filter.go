package snapshot

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/structpb"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// parseFilter gives the Filter that a document means, nil if it cannot be taken.
func parseFilter(doc *Document) (*Filter, []Problem) {
	c := &checker{doc: doc}
	spec := doc.Filter.GetSpec()
	c.unsupported("spec.rollout", spec.GetRollout() != nil)
	filter := &Filter{
		Key:      doc.Key,
		Origin:   doc.At,
		Phase:    phase(spec.GetOrder().GetPhase()),
		Priority: spec.GetOrder().GetPriority(),
		Targets:  parseTargets(doc.Key, spec.GetTargets()),
	}
	switch is := spec.GetImplementation().(type) {
	case *graftv1alpha1.FilterSpec_Wasm:
		filter.Wasm = c.wasm(is.Wasm)
	case *graftv1alpha1.FilterSpec_Lua:
		filter.Lua = c.lua(is.Lua)
	case *graftv1alpha1.FilterSpec_Native:
		filter.Native = c.native(is.Native)
	default:
		c.refuse(CodeInvalid, "spec", "write exactly one of wasm, lua and native", "the filter says nothing of what runs")
	}
	if c.refused {
		return nil, c.problems
	}
	filter.Hash = formHash(filter)
	return filter, nil
}

func phase(name string) Phase {
	switch name {
	case "authn":
		return PhaseAuthn
	case "authz":
		return PhaseAuthz
	case "stats":
		return PhaseStats
	default:
		return PhaseDefault
	}
}

func parseTargets(filter Key, targets []*graftv1alpha1.Target) []Target {
	if len(targets) == 0 {
		return []Target{{}}
	}
	out := make([]Target, len(targets))
	for i, t := range targets {
		out[i] = Target{
			Nodes:     selectorOrNil(t.GetNodes()),
			Proxy:     proxyKey(filter.Namespace, t.GetProxy()),
			Listeners: t.GetListeners(),
			Ports:     t.GetPorts(),
			Direction: t.GetDirection(),
			Routes:    t.GetRoutes(),
		}
	}
	return out
}

// selectorOrNil gives nil for a selector that selects everything, so that there is one form of it.
func selectorOrNil(s *graftv1alpha1.NodeSelector) *graftv1alpha1.NodeSelector {
	if s.GetId() == "" && s.GetCluster() == "" && len(s.GetMatchLabels()) == 0 {
		return nil
	}
	return s
}

// proxyKey reads "name" and "namespace/name"; a name alone is in the namespace of the filter.
func proxyKey(namespace, name string) Key {
	if name == "" {
		return Key{}
	}
	if ns, rest, ok := strings.Cut(name, "/"); ok {
		namespace, name = ns, rest
	}
	return Key{Kind: kindProxy, Namespace: namespace, Name: name}
}

func (c *checker) wasm(w *graftv1alpha1.Wasm) *Wasm {
	c.pull(w.GetPull())
	if scheme, _, ok := strings.Cut(w.GetModule(), "://"); ok {
		c.refuse(CodeUnsupported, "spec.wasm.module", "fetch the module and write its path", "a module from %s:// is not supported yet", scheme)
	}
	config, err := configBytes(w.GetConfig())
	if err != nil {
		c.refuse(CodeInvalid, "spec.wasm.config", "", "the value cannot be written as JSON: %v", err)
	}
	return &Wasm{
		Module: Ref{
			Location: w.GetModule(),
			SHA256:   w.GetSha256(),
			Stamp:    c.doc.Files[w.GetModule()].Stamp,
		},
		Config:      config,
		RootID:      w.GetRootId(),
		VMID:        w.GetVmId(),
		Env:         w.GetEnv(),
		EnvFromHost: w.GetEnvFromHost(),
		OnFailure:   orDefault(w.GetOnFailure(), "reload"),
		Allow:       w.GetAllow(),
		Delivery:    orDefault(w.GetDelivery(), "auto"),
	}
}

// pull refuses what says how to fetch: a path is not fetched.
func (c *checker) pull(p *graftv1alpha1.Pull) {
	c.unsupported("spec.wasm.pull.policy", p.GetPolicy() != "")
	c.unsupported("spec.wasm.pull.every", p.GetEvery() != nil)
	c.unsupported("spec.wasm.pull.secret", p.GetSecret() != "")
	c.unsupported("spec.wasm.pull.plainHTTP", p.GetPlainHttp())
	c.unsupported("spec.wasm.pull.insecureSkipVerify", p.GetInsecureSkipVerify())
	c.unsupported("spec.wasm.pull.caBundle", p.GetCaBundle() != "")
}

// configBytes is what the plugin is configured with: a string as it is, nothing for null, else compact JSON with sorted keys.
func configBytes(v *structpb.Value) ([]byte, error) {
	switch is := v.GetKind().(type) {
	case nil, *structpb.Value_NullValue:
		return nil, nil
	case *structpb.Value_StringValue:
		return []byte(is.StringValue), nil
	default:
		return compactJSON(v.AsInterface())
	}
}

// compactJSON writes JSON on one line, keys sorted, and `<` as `<`.
func compactJSON(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

func (c *checker) lua(l *graftv1alpha1.Lua) string {
	code, field := l.GetCode(), "spec.lua.code"
	if path := l.GetFile(); path != "" {
		field = "spec.lua.file"
		data, ok := c.file(field, path)
		if !ok {
			return ""
		}
		code = string(data)
	}
	switch {
	case !utf8.ValidString(code):
		c.refuse(CodeLua, field, "save it as UTF-8", "the script is not UTF-8 text")
	case !strings.Contains(code, "envoy_on_request") && !strings.Contains(code, "envoy_on_response"):
		c.refuse(CodeLua, field, "Envoy calls `function envoy_on_request(handle)` and `function envoy_on_response(handle)`",
			"the script defines neither envoy_on_request nor envoy_on_response")
	}
	return code
}

func orDefault(value, standard string) string {
	if value == "" {
		return standard
	}
	return value
}
