package xds

import (
	"fmt"
	"slices"
	"strings"
	"time"

	xdsstream "github.com/envoyproxy/go-control-plane/pkg/server/stream/v3"

	"github.com/graft-xds/graft/snapshot"
)

// Types in the order in which they are sent: what names something comes after what it names.
const (
	clusterIndex = iota
	endpointIndex
	listenerIndex
	routeIndex
	secretIndex
	extensionIndex
	typeCount
)

func typeURLs() [typeCount]string {
	return [typeCount]string{
		snapshot.ClusterType, snapshot.EndpointType, snapshot.ListenerType, snapshot.RouteType, snapshot.SecretType,
		snapshot.ExtensionType,
	}
}

// typeIndex gives -1 for a type that graft does not serve.
func typeIndex(typeURL string) int {
	urls := typeURLs()
	return slices.Index(urls[:], typeURL)
}

// watch is what is known of one type on one stream.
type watch struct {
	index   int
	typeURL string
	sub     xdsstream.Subscription
	nonce   string // of the last response

	have    map[string]held      // by name: what the client has
	exactly []*snapshot.Resource // instead of have, where the client has just these; shared with the group
	refused map[string]*refusal  // by name: what it refused last, until it takes something else
	flight  *flight              // the response that it has not answered

	dirty    bool   // something may have to go out
	greeted  bool   // it was answered once, or has told that it knows something
	shrunk   bool   // SotW: names were given up since the last response, whose version must follow
	reported string // SotW: version_info of the first request, until it was compared
}

// held is a resource that the client has. The zero value stands for one that the client was told not to exist.
type held struct {
	version  string
	resource *snapshot.Resource // nil if only the version is known
}

// refusal is a resource that the client refused. It is not sent again as it is.
type refusal struct {
	version string // base
	text    string
	at      time.Time
	tries   int       // how many times it went out
	heals   int       // of the session when it was refused
	retry   time.Time // when a listener may go out again by itself; zero: never
}

// flight is a response that has not been answered.
type flight struct {
	watch   *watch
	nonce   string
	at      time.Time
	items   []item
	removed []string
	warmed  bool                 // of clusters: their endpoints go out once more
	final   []*snapshot.Resource // if the client takes it, it has exactly these; nil: something else

	slotFlight
}

// due tells whether a refused resource may go out again.
func (r *refusal) due(s *session, index int) bool {
	return index == listenerIndex && (s.heals > r.heals || !s.now().Before(r.retry))
}

// wants tells whether the client asked for a name.
func (w *watch) wants(name string) bool {
	if w.sub.IsWildcard() {
		return true
	}
	_, ok := w.sub.SubscribedResources()[name]
	return ok
}

// takesAll tells whether the client asked for everything, and for nothing by name.
func (w *watch) takesAll() bool { return w.sub.IsWildcard() && len(w.sub.SubscribedResources()) == 0 }

// spread turns exactly into have, so that it can be changed.
func (w *watch) spread() {
	if w.have != nil {
		return
	}
	w.have = make(map[string]held, len(w.exactly))
	for _, r := range w.exactly {
		w.have[r.Name] = held{r.Version, r}
	}
	w.exactly = nil
}

// has is what the client has by a name.
func (w *watch) has(name string) (held, bool) {
	w.spread()
	h, ok := w.have[name]
	return h, ok
}

// forget makes the client be told about a name again.
func (w *watch) forget(name string) {
	w.spread()
	delete(w.have, name)
	w.dirty = true
}

// changes is what separates a client from what it should have.
type changes struct {
	send   []item   // sorted by name
	remove []string // that exist no more; sorted
	absent []string // delta: subscribed to, and never existed
	retry  time.Time
}

// changes compares what the client has with the group's resources.
func (w *watch) changes(s *session) changes {
	list := s.res.Types[w.typeURL]
	if same(w.exactly, list) {
		return changes{}
	}
	w.spread()
	var c changes
	for _, r := range list {
		if w.wants(r.Name) {
			w.compare(s, r, &c)
		}
	}
	exists := func(name string) bool { _, ok := find(list, name); return ok }
	for name, h := range w.have {
		switch {
		case h.version == "" || exists(name):
		case s.delta || fullState(w.index):
			c.remove = append(c.remove, name)
		default:
			delete(w.have, name) // SotW has no way to say so
		}
	}
	for name := range w.sub.SubscribedResources() {
		if _, told := w.have[name]; !told && !exists(name) {
			c.absent = append(c.absent, name)
		}
	}
	slices.Sort(c.remove)
	slices.Sort(c.absent)
	return c
}

// compare looks at one resource that exists and that the client wants.
func (w *watch) compare(s *session, r *snapshot.Resource, c *changes) {
	if h, ok := w.have[r.Name]; ok && base(h.version) == r.Version {
		delete(w.refused, r.Name) // what it refused is wanted no more
		return
	}
	refused := w.refused[r.Name]
	switch {
	case refused == nil || refused.version != r.Version:
		c.send = append(c.send, item{r, r.Version})
	case refused.due(s, w.index):
		c.send = append(c.send, item{r, attempted(r.Version, fmt.Sprint(refused.tries))})
	case w.index == listenerIndex && (c.retry.IsZero() || refused.retry.Before(c.retry)):
		c.retry = refused.retry
	}
}

// settle records that the client took the response, except for the blamed names.
func (w *watch) settle(f *flight, blamed func(name string) bool) {
	w.flight = nil
	w.dirty = true
	if f.final != nil && !slices.ContainsFunc(f.items, func(one item) bool { return blamed(one.Name) }) {
		w.exactly, w.have, w.refused = f.final, nil, nil
		return
	}
	w.spread()
	for _, one := range f.items {
		if !blamed(one.Name) {
			w.have[one.Name] = held{one.version, one.Resource}
			delete(w.refused, one.Name)
		}
	}
	for _, name := range f.removed {
		if _, named := w.sub.SubscribedResources()[name]; named {
			w.have[name] = held{} // told not to exist
		} else {
			delete(w.have, name)
		}
		delete(w.refused, name)
	}
}

// Back-off of a listener that was refused: the port may be in use by somebody who goes away.
const (
	retryFirst = 5 * time.Second
	retryMost  = 5 * time.Minute
)

// refuse records a NACK. Envoy takes the good resources of a delta response and names the others in its text; where it
// names none, all are taken to be refused.
func (w *watch) refuse(s *session, f *flight, text string) {
	blamed := blame(f.items, text)
	w.settle(f, func(name string) bool { return blamed[name] })
	if w.refused == nil {
		w.refused = map[string]*refusal{}
	}
	for _, one := range f.items {
		if !blamed[one.Name] {
			continue
		}
		r := &refusal{version: one.Version, text: text, at: s.now(), tries: 1, heals: s.heals}
		if before := w.refused[one.Name]; before != nil && before.version == r.version {
			r.tries = before.tries + 1
		}
		r.retry = r.at.Add(min(retryFirst<<min(r.tries-1, 10), retryMost))
		w.refused[one.Name] = r
	}
}

// blame tells which resources a NACK is about.
func blame(items []item, text string) map[string]bool {
	blamed := map[string]bool{}
	for _, one := range items {
		if mentions(text, one.Name) {
			blamed[one.Name] = true
		}
	}
	if len(blamed) == 0 {
		for _, one := range items {
			blamed[one.Name] = true
		}
	}
	return blamed
}

// mentions tells whether a text has a name as a word of its own.
func mentions(text, name string) bool {
	for rest := text; ; {
		at := strings.Index(rest, name)
		if at < 0 || name == "" {
			return false
		}
		end := at + len(name)
		if (at == 0 || !inName(rest[:at], -1)) && (end == len(rest) || !inName(rest[end:], +1)) {
			return true
		}
		rest = rest[end:]
	}
}

// inName tells whether a name goes on at the near end of text; a full stop belongs to it only if more of it follows.
func inName(text string, direction int) bool {
	if direction < 0 {
		return nameByte(text[len(text)-1]) || text[len(text)-1] == '.' && len(text) > 1 && nameByte(text[len(text)-2])
	}
	return nameByte(text[0]) || text[0] == '.' && len(text) > 1 && nameByte(text[1])
}

func nameByte(c byte) bool {
	return c == '_' || c == '-' || c == '/' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// same tells whether two lists are one; an empty list is only the same as itself told to the client.
func same(a, b []*snapshot.Resource) bool {
	return a != nil && slices.Equal(a, b)
}

func find(list []*snapshot.Resource, name string) (*snapshot.Resource, bool) {
	at, ok := slices.BinarySearchFunc(list, name, func(r *snapshot.Resource, name string) int { return strings.Compare(r.Name, name) })
	if !ok {
		return nil, false
	}
	return list[at], true
}
