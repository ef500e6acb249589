package snapshot

import (
	"cmp"
	"slices"
)

// Parse makes one Config of all documents of all sources, in whatever order they come. It never fails as a whole: what
// cannot be taken costs its author a Problem and keeps the form it had in last, which is Config.Documents of the Config
// before (or Memory.Documents after a restart).
//
// The problems, sorted, are those of broken and those that Parse finds itself. A Problem whose Code is a Warning keeps
// nothing out of force.
func Parse(docs []Document, broken []Broken, last []Document) (*Config, []Problem) {
	// What is made here points into the documents, whatever the caller does with its slices.
	picked, problems := pick(slices.Clone(docs), broken, slices.Clone(last))
	config := &Config{}
	for _, key := range picked.keys(kindFilter) {
		found, filter := firstGood(picked[key], parseFilter)
		problems = append(problems, found...)
		if filter != nil {
			config.Filters = append(config.Filters, filter.form)
			config.Documents = append(config.Documents, *filter.doc)
		}
	}
	proxies, found := admitProxies(picked)
	problems = append(problems, found...)
	for _, proxy := range proxies {
		config.Proxies = append(config.Proxies, proxy.form)
		config.Documents = append(config.Documents, *proxy.doc)
	}
	problems = append(problems, checkTargets(config)...)

	slices.SortFunc(config.Filters, compareFilters)
	slices.SortFunc(config.Documents, func(a, b Document) int { return compareKeys(a.Key, b.Key) })
	slices.SortFunc(problems, compareWhole)
	config.Selection = selection(config)
	return config, slices.Compact(problems)
}

const (
	kindFilter = "Filter"
	kindProxy  = "Proxy"
)

// inForce is a parsed object with the document that it was parsed from.
type inForce[T any] struct {
	doc  *Document
	form *T
}

// candidate is the documents that may stand for one key: when the newest is refused, the last good one is asked.
type candidate struct {
	newest *Document // nil: it could not be read
	held   *Document // what was in force before; nil: nothing
}

// firstGood parses the newest document, then the one in force before. The problems are those of the first: that the
// last form stands in is no fault of that form.
func firstGood[T any](of candidate, parse func(*Document) (*T, []Problem)) ([]Problem, *inForce[T]) {
	var problems []Problem
	first := true
	for _, doc := range []*Document{of.newest, of.held} {
		if doc == nil {
			continue
		}
		form, found := parse(doc)
		if first {
			problems, first = found, false
		}
		if form != nil {
			return problems, &inForce[T]{doc: doc, form: form}
		}
	}
	return problems, nil
}

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// compareWhole tells any two different problems apart, so that equal ones stand side by side.
func compareWhole(a, b Problem) int {
	return cmp.Or(CompareProblems(a, b), cmp.Compare(a.Hint, b.Hint))
}
