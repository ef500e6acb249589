package snapshot

import (
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filterchainv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/filter_chain/v3"
	luav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	setmetadatav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/set_metadata/v3"
	httpwasmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/wasm/v3"
	wasmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/wasm/v3"
	"google.golang.org/protobuf/proto"
)

// contents are one of each kind, by a name for the test.
func contents() map[string]*Content {
	options := Options{InlineLimit: 3, ModuleHost: "::1", ModulePort: 18001}
	digest := "sha256:" + strings.Repeat("ab", 32)
	wasm := part{key: order("w")[0], form: newForm(&Filter{
		Key: order("w")[0], Hash: "wasm", Wasm: &Wasm{OnFailure: "reload", Delivery: "auto", Config: []byte("x")},
	}, &Module{Digest: digest, Bytes: []byte("module")})}
	lua := part{key: order("l")[0], form: luaForm("l")}
	native := part{key: order("n")[0], form: newForm(&Filter{Key: order("n")[0], Hash: "native", Native: anyOf(denyFilter())}, nil)}
	deny := part{key: order("d")[0]}
	return map[string]*Content{
		"chain":           newContent("graft/web", true, []part{wasm, lua, native, deny}, options),
		"empty chain":     newContent("graft/web", true, nil, options),
		"declared wasm":   newContent("graft/web/1-of-2", false, []part{wasm}, options),
		"declared lua":    newContent("graft/web/1-of-2", false, []part{lua}, options),
		"declared native": newContent("graft/web/1-of-2", false, []part{native}, options),
		"declared deny":   newContent("graft/web/1-of-2", false, []part{deny}, options),
		"unused":          newContent("graft/web/1-of-2", false, nil, options),
	}
}

// TestAttempt checks that an attempt makes the bytes and the version new, and how.
func TestAttempt(t *testing.T) {
	for name, c := range contents() {
		first, second := c.Render(Variant{}), c.Render(Variant{Attempt: "2"})
		if first.Version != c.Revision || second.Version != c.Revision+"#2" {
			t.Errorf("%s: versions %s and %s of revision %s", name, first.Version, second.Version, c.Revision)
		}
		unstampable := name == "declared native" || name == "declared deny"
		if same := string(first.Body) == string(second.Body); same != unstampable {
			t.Errorf("%s: same bytes: %v", name, same)
		}
	}
	var wasm httpwasmv3.Wasm
	rendered(t, contents()["declared wasm"], Variant{Attempt: "2"}, &wasm)
	if id := wasm.GetConfig().GetVmConfig().GetVmId(); !strings.HasSuffix(id, "#2") {
		t.Errorf("vm_id %s", id)
	}
	var lua luav3.Lua
	rendered(t, contents()["declared lua"], Variant{Attempt: "2"}, &lua)
	if code := lua.GetDefaultSourceCode().GetInlineString(); code != "l\n-- graft: 2\n" {
		t.Errorf("script %q", code)
	}
	var chain filterchainv3.FilterChainConfig
	rendered(t, contents()["empty chain"], Variant{Attempt: "2"}, &chain)
	var stamp setmetadatav3.Config
	if err := chain.GetDefaultFilterChain().GetFilters()[0].GetTypedConfig().UnmarshalTo(&stamp); err != nil {
		t.Fatal(err)
	}
	if rev := stamp.GetMetadata()[0].GetValue().GetFields()["rev"].GetStringValue(); rev != contents()["empty chain"].Revision+"#2" {
		t.Errorf("stamp %s", rev)
	}
}

// TestRemote checks how a module is fetched, and that its way is not part of the version.
func TestRemote(t *testing.T) {
	c := contents()["declared wasm"]
	var wasm httpwasmv3.Wasm
	rendered(t, c, Variant{Remote: true, Token: "t1"}, &wasm)
	vm := wasm.GetConfig().GetVmConfig()
	remote := vm.GetCode().GetRemote()
	hex := strings.Repeat("ab", 32)
	if got, want := remote.GetHttpUri().GetUri(), "http://[::1]:18001/modules/"+hex+".wasm?proxy=t1"; got != want {
		t.Errorf("URI %s, want %s", got, want)
	}
	if remote.GetSha256() != hex || remote.GetHttpUri().GetCluster() != ModulesCluster || !vm.GetNackOnCodeCacheMiss() {
		t.Errorf("remote code %v", vm)
	}
	if c.Render(Variant{Remote: true}).Version != c.Revision {
		t.Error("the way of a module is part of the version")
	}
	if got := c.Fetches; len(got) != 1 || got[0] != "sha256:"+hex {
		t.Errorf("fetches %v", got)
	}
}

// TestEffectOfFilter checks what makes a new revision, and what does not.
func TestEffectOfFilter(t *testing.T) {
	base := func() (*Filter, *Module) {
		return &Filter{Key: order("w")[0], Targets: []Target{{}}, Wasm: &Wasm{OnFailure: "reload", Delivery: "auto", Config: []byte("x"), Env: map[string]string{"a": "b"}}},
			&Module{Digest: "sha256:00"}
	}
	revisionOf := func(edit func(*Filter, *Module)) string {
		f, m := base()
		edit(f, m)
		return newContent("s", true, []part{{key: f.Key, form: newForm(f, m)}}, Options{}).Revision
	}
	unedited := revisionOf(func(*Filter, *Module) {})
	for name, edit := range map[string]func(*Filter, *Module){
		"targets":  func(f *Filter, _ *Module) { f.Targets = []Target{{Listeners: []string{"x"}}} },
		"priority": func(f *Filter, _ *Module) { f.Priority = 7 },
		"delivery": func(f *Filter, _ *Module) { f.Wasm.Delivery = "inline" },
		"stamp":    func(f *Filter, _ *Module) { f.Wasm.Module.Stamp = "2" },
	} {
		if revisionOf(edit) != unedited {
			t.Errorf("%s makes a new revision", name)
		}
	}
	for name, edit := range map[string]func(*Filter, *Module){
		"config":     func(f *Filter, _ *Module) { f.Wasm.Config = []byte("y") },
		"module":     func(_ *Filter, m *Module) { m.Digest = "sha256:01" },
		"env":        func(f *Filter, _ *Module) { f.Wasm.Env["a"] = "c" },
		"host env":   func(f *Filter, _ *Module) { f.Wasm.EnvFromHost = []string{"HOME"} },
		"root id":    func(f *Filter, _ *Module) { f.Wasm.RootID = "r" },
		"vm id":      func(f *Filter, _ *Module) { f.Wasm.VMID = "v" },
		"on failure": func(f *Filter, _ *Module) { f.Wasm.OnFailure = "open" },
		"allow":      func(f *Filter, _ *Module) { f.Wasm.Allow = []string{"proxy_log"} },
		"name":       func(f *Filter, _ *Module) { f.Key.Name = "other" },
	} {
		if revisionOf(edit) == unedited {
			t.Errorf("%s makes no new revision", name)
		}
	}
}

// TestSharedVM checks when filters share a VM: by an explicit id, else never.
func TestSharedVM(t *testing.T) {
	m := &Module{Digest: "sha256:00"}
	id := func(name, vm, config string) string {
		return vmID(&Filter{Key: order(name)[0], Wasm: &Wasm{VMID: vm, Config: []byte(config)}}, m)
	}
	if id("a", "", "x") == id("b", "", "x") || id("a", "", "x") == id("a", "", "y") {
		t.Error("two filters, or two configurations, share a VM")
	}
	if id("a", "shared", "x") != "shared" || id("b", "shared", "y") != "shared" {
		t.Error("an explicit id is not kept")
	}
	if !strings.HasPrefix(id("a", "", "x"), "default/a@") {
		t.Errorf("id %s", id("a", "", "x"))
	}
}

func TestFailurePolicy(t *testing.T) {
	for written, want := range map[string]wasmv3.FailurePolicy{
		"": wasmv3.FailurePolicy_FAIL_RELOAD, "reload": wasmv3.FailurePolicy_FAIL_RELOAD,
		"closed": wasmv3.FailurePolicy_FAIL_CLOSED, "open": wasmv3.FailurePolicy_FAIL_OPEN,
	} {
		if got := failurePolicy(written); got != want {
			t.Errorf("%q: %v, want %v", written, got, want)
		}
	}
}

// rendered reads the filter of a rendering.
func rendered(t *testing.T, c *Content, v Variant, into proto.Message) {
	t.Helper()
	resource := &corev3.TypedExtensionConfig{}
	if err := proto.Unmarshal(c.Render(v).Body, resource); err != nil {
		t.Fatal(err)
	}
	if err := resource.GetTypedConfig().UnmarshalTo(into); err != nil {
		t.Fatal(err)
	}
}
