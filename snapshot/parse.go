package snapshot

import (
	"cmp"
	"slices"
)

// Parse makes one Config of all documents of all sources, in whatever order they come. It never fails as a whole: what
// cannot be taken costs its author a Problem and keeps the form it had in last, which is Memory.Documents after a restart.
// The Configs that follow are made by Next.
//
// The problems, sorted, are those of broken and those that Parse finds itself. A Problem whose Code is a Warning keeps
// nothing out of force.
func Parse(docs []Document, broken []Broken, last []Document) (*Config, []Problem) {
	before := &Config{Documents: last}
	if !slices.IsSortedFunc(last, compareDocumentKeys) {
		before.Documents = slices.SortedStableFunc(slices.Values(last), compareDocumentKeys)
	}
	return before.Next(docs, broken)
}

// Next gives the Config that follows c when the sources hold these documents: what Parse would make of them, where what
// cannot be taken keeps the form it has in c. What has not changed is not read again: a filter or a Proxy that means the
// same and is written in the same place keeps its pointer, so that a Build that follows sees what changed. c stays as it is.
func (c *Config) Next(docs []Document, broken []Broken) (*Config, []Problem) {
	next := &Config{}
	next.parsed.arrangement = c.parsed.arrangement.of(docs)
	picked, problems := c.pick(docs, next.parsed.arrangement.order, broken)

	proxies, found := c.admitProxies(picked.of(kindProxy))
	problems = append(problems, found...)
	filters, fresh, found := c.takeFilters(picked.of(kindFilter))
	problems = append(problems, found...)
	next.parsed.filters, next.parsed.proxies = filters, proxies
	next.share(c)
	problems = append(problems, next.checkTargets(c, fresh)...)

	slices.SortFunc(problems, compareWhole)
	return next, slices.Compact(problems)
}

const (
	kindFilter = "Filter"
	kindProxy  = "Proxy"
)

// parsed is what the next Config shares. It is immutable.
type parsed struct {
	filters     []*inForce[Filter] // as in Documents, which has the filters first
	proxies     []*inForce[claimed]
	arrangement *arrangement
	names       []targetable                   // of proxies
	warnings    map[*inForce[Filter]][]Problem // of targets that nothing has
}

// takeFilters gives the filters that are in force now, by key, and those among them that were not, or not so, in c.
func (c *Config) takeFilters(picked choice) (filters, fresh []*inForce[Filter], problems []Problem) {
	filters = make([]*inForce[Filter], 0, len(picked))
	for _, of := range picked {
		before := c.filterAt(of.at)
		found, filter := firstGood(of, before, func(doc *Document) (*inForce[Filter], []Problem) {
			return before.next(doc, filterReader())
		})
		problems = append(problems, found...)
		if filter == nil {
			continue
		}
		filters = append(filters, filter)
		if filter != before {
			fresh = append(fresh, filter)
		}
	}
	return filters, fresh, problems
}

// firstGood takes the newest document, then the one in force before. The problems are those of the first: that the last
// form stands in is no fault of that form.
func firstGood[T any](of candidate, before *inForce[T], take func(*Document) (*inForce[T], []Problem)) ([]Problem, *inForce[T]) {
	var problems []Problem
	first := true
	held := of.held
	if before != nil {
		held = before.doc
	}
	for _, doc := range []*Document{of.newest, held} {
		if doc == nil {
			continue
		}
		taken, found := take(doc)
		if first {
			problems, first = found, false
		}
		if taken != nil {
			return problems, taken
		}
	}
	return problems, nil
}

// share fills in what c.parsed says, with the slices of before where they hold the same.
func (c *Config) share(before *Config) {
	sameFilters := before.Filters != nil && slices.Equal(c.parsed.filters, before.parsed.filters)
	sameProxies := before.Proxies != nil && slices.Equal(c.parsed.proxies, before.parsed.proxies)
	c.Filters, c.Proxies, c.Documents, c.parsed.names = before.Filters, before.Proxies, before.Documents, before.parsed.names
	if !sameFilters {
		c.Filters = forms(c.parsed.filters, func(f *Filter) *Filter { return f })
		slices.SortFunc(c.Filters, compareFilters)
	}
	if !sameProxies {
		c.Proxies = forms(c.parsed.proxies, func(p *claimed) *Proxy { return p.Proxy })
		c.parsed.names = namesOf(c.parsed.proxies)
	}
	if !sameFilters || !sameProxies {
		c.Documents = documents(documents(nil, c.parsed.filters), c.parsed.proxies)
	}
	if before.Selection != "" && c.selectsAs(before) {
		c.Selection = before.Selection
		c.selectors.share(before.selectors.of(before))
	} else {
		c.Selection = selection(c)
	}
}

func forms[T, F any](all []*inForce[T], form func(*T) *F) []*F {
	var out []*F
	for _, object := range all {
		out = append(out, form(object.form))
	}
	return out
}

func documents[T any](out []Document, all []*inForce[T]) []Document {
	out = slices.Grow(out, len(all))
	for _, object := range all {
		out = append(out, *object.doc)
	}
	return out
}

func compareKeys(a, b Key) int {
	if a.Kind != b.Kind {
		return cmp.Compare(a.Kind, b.Kind)
	}
	if a.Namespace != b.Namespace {
		return cmp.Compare(a.Namespace, b.Namespace)
	}
	return cmp.Compare(a.Name, b.Name)
}

func compareDocumentKeys(a, b Document) int { return compareKeys(a.Key, b.Key) }

// compareWhole tells any two different problems apart, so that equal ones stand side by side.
func compareWhole(a, b Problem) int {
	return cmp.Or(CompareProblems(a, b), cmp.Compare(a.Hint, b.Hint))
}
