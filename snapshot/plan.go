package snapshot

import (
	"slices"
	"strings"
)

// plan is what the slots of one connection manager carry. It is immutable.
type plan struct {
	set      *slotSet
	contents map[string]*Content // by slot; of declared slots all, even those that nobody names
	order    SlotOrder
	perRoute *perRoute // nil: nothing that differs from route to route
	missing  []Key     // filters that apply and are not carried, left out or denied
	remarks  []remark
	denied   bool // a deny stands for some filter
	// provisional: see Content.Provisional.
	provisional bool
}

// planned is a plan and what it was made of, so that groups with the same share it.
type planned struct {
	traits  Traits
	before  history
	filters []applied
	plan    *plan
	held    []remark // what is to be said of filters that wait
	stale   []part   // what the plan carries of filters otherwise than their verdicts say
}

// plan decides what the slots of one connection manager carry.
func (b *builder) plan(g *Group, set *slotSet, filters []selected) planned {
	p := &planner{builder: b, traits: g.Node.Traits, set: set, filters: set.apply(filters), before: b.history(g, set)}
	key := set.key()
	for _, made := range b.plans[key] {
		if made.traits == p.traits && made.before.same(&p.before) && slices.EqualFunc(made.filters, p.filters, applied.same) {
			return made
		}
	}
	made := planned{traits: p.traits, before: p.before, filters: p.filters}
	made.plan, made.held = p.plan()
	made.stale = p.stale(made.plan)
	b.plans[key] = append(b.plans[key], made)
	return made
}

// planner makes one plan.
type planner struct {
	*builder
	traits  Traits
	set     *slotSet
	filters []applied
	before  history
	missing []Key
	remarks []remark
	denied  bool // a deny stands for some filter
	unsure  bool // a filter cannot be sent that an earlier process may have sent
}

// plan makes the plan. While a module is on its way the slots keep all that they have, whatever else was edited: one save
// is one change of the slots. Slots that deny do not wait for more than they must.
func (p *planner) plan() (*plan, []remark) {
	switch {
	case p.before.plan != nil && !p.before.plan.denied && p.waiting():
		return p.before.plan, p.held()
	case p.set.declared > 0:
		return p.declared(), nil
	default:
		return p.chain(), nil
	}
}

// stale gives the parts of a plan that are not what the verdicts of the filters say.
func (p *planner) stale(made *plan) []part {
	var stale []part
	at := 0 // both are in the order of the chain, for the most part
	made.each(func(part *part) {
		if part.form == nil {
			return
		}
		for range p.filters {
			if at == len(p.filters) {
				at = 0
			}
			if p.filters[at].form == part.form {
				return
			}
			at++
		}
		stale = append(stale, *part)
	})
	return stale
}

func (p *planner) waiting() bool {
	for _, filter := range p.filters {
		if filter.waiting {
			return true
		}
	}
	return false
}

// held says of each filter that the slots do not carry yet, although it could be sent, what it waits for.
func (p *planner) held() []remark {
	var waitsFor []string
	for _, filter := range p.filters {
		if filter.waiting {
			waitsFor = append(waitsFor, innerName(filter.newest.Key))
		}
	}
	var held []remark
	for _, filter := range p.filters {
		carried := p.before.formOf(filter.newest.Key)
		if !filter.waiting && (carried == nil || carried.filter.Hash != filter.newest.Hash) {
			held = append(held, remark{
				object: filter.newest.Key,
				what:   "waits for the module of " + strings.Join(waitsFor, ", ") + ", so that the slots change at once",
			})
		}
	}
	return held
}

// part gives what stands in the chain for a filter: its form, else a deny, else nothing.
func (p *planner) part(f applied) (part, bool) {
	key := f.newest.Key
	sendable := f.form
	if sendable != nil {
		if unfit := p.unfit(sendable); unfit != nil {
			p.remarks = append(p.remarks, *unfit)
			sendable = nil
		}
	}
	if sendable == nil {
		sendable = p.before.formOf(key)
	}
	if sendable != nil {
		return part{key: key, form: sendable}, true
	}
	p.missing = append(p.missing, key)
	p.unsure = p.unsure || p.before.plan == nil && (f.lost || f.form != nil)
	if !p.mustDeny(f) {
		return part{}, false
	}
	p.denied = true
	return part{key: key}, true
}

// mustDeny decides what stands for a filter that cannot be sent: a deny or nothing. A slot that never carried anything must not let requests by a
// guard that is not there yet; one that serves without the filter goes on as it is.
func (p *planner) mustDeny(f applied) bool {
	return !f.failsOpen() && (!p.before.known || p.before.carried(f.newest.Key))
}

// each visits every part that the plan carries.
func (p *plan) each(visit func(*part)) {
	all := func(parts []part) {
		for i := range parts {
			visit(&parts[i])
		}
	}
	for _, content := range p.contents {
		all(content.parts)
	}
	if p.perRoute != nil {
		all(p.perRoute.host)
		for _, parts := range p.perRoute.named {
			all(parts)
		}
	}
}

func (p *plan) formOf(key Key) *form {
	for _, content := range p.contents {
		for i := range content.parts {
			if content.parts[i].key == key {
				return content.parts[i].form
			}
		}
	}
	return p.perRoute.formOf(key)
}

// isProvisional: see Content.Provisional.
func (p *planner) isProvisional() bool {
	if p.before.plan == nil {
		return p.waiting() || p.unsure || p.denied && !p.before.known
	}
	return p.denied && p.before.plan.provisional
}

// finish puts together what all plans have.
func (p *planner) finish(contents map[string]*Content, order SlotOrder, routes *perRoute) *plan {
	return &plan{
		set: p.set, contents: contents, order: order, perRoute: routes,
		missing: p.missing, remarks: p.remarks, denied: p.denied, provisional: p.isProvisional(),
	}
}

// chain plans a chain slot: the filters up to the first that is for some routes only are the chain, the others are in
// per-route chains, which run after it.
func (p *planner) chain() *plan {
	chain := make([]part, 0, len(p.filters))
	order := make(SlotOrder, 0, len(p.filters))
	var rest []routedPart
	for _, filter := range p.filters {
		part, ok := p.part(filter)
		if !ok {
			continue
		}
		order = append(order, part.key)
		if len(rest) == 0 && filter.routes == nil {
			chain = append(chain, part)
		} else {
			rest = append(rest, routedPart{part, filter.routes})
		}
	}
	content := p.content(p.set.base, true, chain, p.isProvisional())
	return p.finish(map[string]*Content{p.set.base: content}, order, perRouteChains(p.set, rest))
}

// unfit tells why the proxies cannot run a form; nil if they can.
func (p *planner) unfit(f *form) *remark {
	if f.filter.Wasm != nil && p.traits.Extensions && !p.traits.Wasm {
		return &remark{
			object: f.filter.Key, field: "spec.wasm", code: CodeNoWasm,
			what: "Envoy" + spaced(p.traits.Version) + " is built without V8 and cannot run Wasm",
			hint: "use a build of Envoy that has " + wasmRuntime + ", or select other proxies in targets",
		}
	}
	if p.set.declared > 0 && f.filter.Native != nil && !fitsDeclared(f.filter.Native.GetTypeUrl()) {
		return &remark{
			object: f.filter.Key, field: "spec.native", code: CodeNotDeclared,
			what: f.filter.Native.GetTypeUrl()[len(typePrefix):] + " cannot be in a declared slot, which takes only what every supported Envoy has built in",
			hint: "use Envoy 1.39 or newer with envoy.filters.http.filter_chain, or select other proxies in targets",
		}
	}
	return nil
}

func spaced(version string) string {
	if version == "" {
		return ""
	}
	return " " + version
}
