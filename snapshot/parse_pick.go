package snapshot

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"slices"
)

// choice holds the candidate of every key.
type choice map[Key]candidate

// keys gives the keys of one kind, sorted.
func (c choice) keys(kind string) []Key {
	var keys []Key
	for key := range c {
		if key.Kind == kind {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, compareKeys)
	return keys
}

// pick decides which documents may stand for each key. Of two with one key, the file that held it before keeps it, else the
// first file in order. What could not be read keeps its last form.
func pick(docs []Document, broken []Broken, last []Document) (choice, []Problem) {
	before := map[Key]*Document{}
	for i := range last {
		before[last[i].Key] = &last[i]
	}
	picked, problems := choice{}, make([]Problem, 0, len(broken))
	for key, group := range byKey(docs) {
		problems = append(problems, holderFirst(group, before[key])...)
		picked[key] = candidate{newest: group[0], held: before[key]}
	}
	lost := map[string]bool{} // files in which an object lost even its name, and folders that cannot be read
	for _, b := range broken {
		problems = append(problems, b.Problem)
		if b.Key == (Key{}) {
			lost[b.Problem.Origin.File] = true
		} else if held := before[b.Key]; held != nil && picked[b.Key].newest == nil {
			picked[b.Key] = candidate{held: held}
		}
	}
	for key, held := range before {
		if (lost[held.Origin.File] || lost[path.Dir(held.Origin.File)]) && picked[key].newest == nil {
			picked[key] = candidate{held: held}
		}
	}
	return picked, problems
}

// byKey groups documents, each group in an order that does not depend on the order they came in.
func byKey(docs []Document) map[Key][]*Document {
	groups := make(map[Key][]*Document, len(docs))
	for i := range docs {
		groups[docs[i].Key] = append(groups[docs[i].Key], &docs[i])
	}
	for _, group := range groups {
		slices.SortFunc(group, compareDocuments)
	}
	return groups
}

// holderFirst moves the document that keeps the key to the front and complains of the others.
func holderFirst(group []*Document, held *Document) []Problem {
	if len(group) == 1 {
		return nil
	}
	if held != nil {
		at := slices.IndexFunc(group, func(d *Document) bool { return d.Origin.File == held.Origin.File })
		if at > 0 {
			holder := group[at]
			copy(group[1:at+1], group[:at])
			group[0] = holder
		}
	}
	problems := make([]Problem, 0, len(group)-1)
	for _, doc := range group[1:] {
		problems = append(problems, Problem{
			Origin: doc.At("metadata.name"),
			Code:   CodeDuplicate,
			What:   fmt.Sprintf("%s is defined twice", doc.Key),
			Hint:   "the one at " + place(group[0].At("metadata.name")) + " is in force; give this one another name",
		})
	}
	return problems
}

// place is the file, line and column of an origin.
func place(o Origin) string {
	o.Object, o.Field = "", ""
	if at := o.String(); at != "" {
		return at
	}
	return "the API server"
}

func compareDocuments(a, b *Document) int {
	return cmp.Or(
		cmp.Compare(a.Origin.File, b.Origin.File),
		cmp.Compare(a.Origin.Line, b.Origin.Line),
		cmp.Compare(a.Origin.Column, b.Origin.Column),
		bytes.Compare(a.body(), b.body()),
	)
}

// body is the bytes of the message, empty if there is none.
func (d *Document) body() []byte {
	switch {
	case d.Filter != nil:
		return marshal(d.Filter)
	case d.Proxy != nil:
		return marshal(d.Proxy)
	default:
		return nil
	}
}
