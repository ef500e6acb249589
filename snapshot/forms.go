package snapshot

// form is a filter that can be built: its implementation, with the module in hand.
type form struct {
	filter   *Filter
	module   *Module // nil for lua and native
	effect   string  // hash of what it does to a request; where it applies, its order and its delivery are not in it
	identity string  // hash of all of it
}

func newForm(f *Filter, m *Module) *form {
	made := &form{filter: f, module: m, effect: effect(f, m)}
	made.identity = hash([]byte(made.effect), []byte(f.Hash), []byte(made.path()))
	return made
}

// path is where the module is in the store.
func (f *form) path() string {
	if f.module == nil {
		return ""
	}
	return f.module.Path
}

func effect(f *Filter, m *Module) string {
	name := []byte(innerName(f.Key))
	switch {
	case f.Wasm != nil:
		return hash(name, []byte("wasm"), []byte(vmID(f, m)), f.Wasm.Config, []byte(f.Wasm.RootID),
			[]byte(f.Wasm.OnFailure), []byte(vmHash(f.Wasm, m)))
	case f.Native != nil:
		return hash(name, []byte("native"), []byte(f.Native.GetTypeUrl()), f.Native.GetValue())
	default:
		return hash(name, []byte("lua"), []byte(f.Lua))
	}
}

// verdict is what Build makes of one filter, whoever gets it. The pointer stays the same as long as all of it does.
type verdict struct {
	newest  *Filter
	form    *form // what can be sent: the newest form, or the last that could be built; nil: none
	waiting bool  // the module of its newest form, or of the one that stands in for it, is on its way
	lost    bool  // it had a form before, but the module of that cannot be had any more
	problem *ModuleError
}

func (v *verdict) same(other *verdict) bool {
	return v.newest.Hash == other.newest.Hash && v.form == other.form && v.waiting == other.waiting &&
		v.lost == other.lost && sameError(v.problem, other.problem)
}

func sameError(a, b *ModuleError) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// failsOpen tells whether requests may pass while the filter is not there.
func (v *verdict) failsOpen() bool { return v.newest.Wasm != nil && v.newest.Wasm.OnFailure == "open" }

// judge decides which form of a filter can be sent; before is the verdict of the last Build, nil if there was none.
func (b *builder) judge(f *Filter, before *verdict) *verdict {
	v := verdict{newest: f}
	if f.Wasm == nil {
		v.form = before.formOf(f, nil)
	} else {
		b.judgeModule(&v, before)
	}
	if before != nil && before.same(&v) {
		return before
	}
	made := v
	return &made
}

func (b *builder) judgeModule(v, before *verdict) {
	outcome, arrived := b.in.Modules[v.newest.Wasm.Module]
	v.waiting = !arrived
	v.problem = outcome.Err
	if outcome.Module != nil {
		v.form = before.formOf(v.newest, outcome.Module)
		return
	}
	b.lastForm(v, before)
}

// formOf makes a form, or gives that of the verdict if it is the same. The verdict may be nil.
func (v *verdict) formOf(f *Filter, m *Module) *form {
	if v != nil && v.form != nil && v.form.filter.Hash == f.Hash && sameModule(v.form.module, m) {
		return v.form
	}
	return newForm(f, m)
}

func sameModule(a, b *Module) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Digest == b.Digest && a.Path == b.Path
}

// lastForm falls back on the last form of a filter that could be built: in this process or, by its digest, in an earlier
// one.
func (b *builder) lastForm(v, before *verdict) {
	if before != nil && before.form != nil {
		v.form = before.form
		return
	}
	remembered, ok := b.remembered.Forms[v.newest.Key]
	if !ok {
		return
	}
	if remembered.Module == "" {
		v.form = before.formOf(remembered.Filter, nil)
		return
	}
	outcome, arrived := b.in.Modules[digestRef(remembered.Module)]
	switch {
	case outcome.Module != nil:
		v.form = before.formOf(remembered.Filter, outcome.Module)
	case arrived:
		v.lost = true
	default:
		v.waiting = true
	}
}

func (f *form) digest() string {
	if f.module == nil {
		return ""
	}
	return f.module.Digest
}

// innerName is the name of a filter inside a chain and of its plugin: "namespace/name", so unique in every chain.
func innerName(k Key) string { return k.Namespace + "/" + k.Name }
