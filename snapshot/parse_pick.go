package snapshot

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"slices"
)

// candidate is the documents that may stand for one key: when the newest is refused, the last good one is asked.
type candidate struct {
	key    Key
	newest *Document // nil: it could not be read
	held   *Document // what was in force before; nil: nothing
	at     int       // where held is in Config.Documents of then; -1: nowhere
}

// choice holds the candidate of every key, by key.
type choice []candidate

// of gives the candidates of one kind.
func (c choice) of(kind string) choice {
	from, _ := slices.BinarySearchFunc(c, kind, func(of candidate, kind string) int { return cmp.Compare(of.key.Kind, kind) })
	to := from
	for to < len(c) && c[to].key.Kind == kind {
		to++
	}
	return c[from:to]
}

// pick decides which documents may stand for each key. Of two with one key, the file that held it before keeps it, else the
// first file in order. What could not be read keeps its last form. The order is that of the documents by key.
func (c *Config) pick(docs []Document, order []int, broken []Broken) (choice, []Problem) {
	problems := make([]Problem, 0, len(broken))
	unread := newUnread(broken)
	for i := range broken {
		problems = append(problems, broken[i].Problem)
	}
	picked := make(choice, 0, len(order))
	at := 0 // all before it in c.Documents is picked, or gone
	pass := func(to Key, end bool) {
		for ; at < len(c.Documents) && (end || compareKeys(c.Documents[at].Key, to) < 0); at++ {
			if held := &c.Documents[at]; unread.has(held) {
				picked = append(picked, candidate{key: held.Key, held: held, at: at})
			}
		}
	}
	for from := 0; from < len(order); {
		key, to := docs[order[from]].Key, from+1
		for to < len(order) && docs[order[to]].Key == key {
			to++
		}
		pass(key, false)
		of := candidate{key: key, newest: &docs[order[from]], at: -1}
		if at < len(c.Documents) && c.Documents[at].Key == key {
			of.held, of.at = &c.Documents[at], at
			at++
		}
		if to > from+1 {
			group := inOrder(docs, order[from:to])
			problems = append(problems, holderFirst(group, of.held)...)
			of.newest = group[0]
		}
		picked = append(picked, of)
		from = to
	}
	pass(Key{}, true)
	return picked, problems
}

// unread is what could not be read.
type unread struct {
	keys  map[Key]bool
	files map[string]bool // in which an object lost even its name, and folders that cannot be read
}

func newUnread(broken []Broken) unread {
	u := unread{keys: map[Key]bool{}, files: map[string]bool{}}
	for i := range broken {
		if b := &broken[i]; b.Key == (Key{}) {
			u.files[b.Problem.Origin.File] = true
		} else {
			u.keys[b.Key] = true
		}
	}
	return u
}

// has tells whether a document that is not there any more may be among what could not be read.
func (u unread) has(held *Document) bool {
	return u.keys[held.Key] || len(u.files) > 0 && (u.files[held.Origin.File] || u.files[path.Dir(held.Origin.File)])
}

// inOrder gives documents of one key in an order that does not depend on the order they came in.
func inOrder(docs []Document, at []int) []*Document {
	group := make([]*Document, len(at))
	for i := range at {
		group[i] = &docs[at[i]]
	}
	slices.SortFunc(group, compareDocuments)
	return group
}

// holderFirst moves the document that keeps the key to the front and complains of the others.
func holderFirst(group []*Document, held *Document) []Problem {
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
	if c := cmp.Or(
		cmp.Compare(a.Origin.File, b.Origin.File),
		cmp.Compare(a.Origin.Line, b.Origin.Line),
		cmp.Compare(a.Origin.Column, b.Origin.Column),
	); c != 0 {
		return c
	}
	return bytes.Compare(a.body(), b.body())
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
