package snapshot

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// defaultSlots is how many declared slots a listener has where the document does not say.
const defaultSlots = 8

// admitProxies reads the Proxy documents and takes those that can stand beside each other, by key. Of two that claim the
// same name on the same proxies, the one that has not changed stays, else the first by name.
func (c *Config) admitProxies(picked choice) ([]*inForce[claimed], []Problem) {
	var problems []Problem
	var old, admitted []*inForce[claimed] // old: as they are in c, where they stand beside each other
	admit := func(of candidate) {
		before := c.proxyAt(of.at)
		found, proxy := firstGood(of, before, func(doc *Document) (*inForce[claimed], []Problem) {
			taken, found := before.next(doc, proxyReader())
			if taken == nil {
				return nil, found
			}
			clashes := checkClashes(taken.form, admitted)
			if taken != before {
				clashes = append(clashes, checkClashes(taken.form, old)...)
			}
			if len(clashes) > 0 {
				return nil, clashes
			}
			return taken, nil
		})
		problems = append(problems, found...)
		switch {
		case proxy == nil:
		case proxy == before:
			old = append(old, proxy)
		default:
			admitted = append(admitted, proxy)
		}
	}
	var changed []candidate
	for _, of := range picked {
		if settled(of) {
			admit(of)
		} else {
			changed = append(changed, of)
		}
	}
	for _, of := range changed {
		admit(of)
	}
	all := slices.Concat(old, admitted)
	slices.SortFunc(all, func(a, b *inForce[claimed]) int { return compareKeys(a.doc.Key, b.doc.Key) })
	return all, problems
}

// settled says whether the newest document is what was in force before.
func settled(of candidate) bool {
	return of.held != nil && (of.newest == nil || of.newest.Proxy == of.held.Proxy || bytes.Equal(of.newest.body(), of.held.body()))
}

func proxyReader() reader[claimed] {
	return reader[claimed]{
		parse: func(doc *Document) (*claimed, []Problem) {
			proxy, problems := parseProxy(doc)
			if proxy == nil {
				return nil, problems
			}
			return claimedBy(proxy), problems
		},
		hash: func(p *claimed) string { return p.Hash },
		moved: func(p *claimed, to *Document) *claimed {
			moved, proxy := *p, *p.Proxy
			proxy.Origin = to.At
			moved.Proxy = &proxy
			return &moved
		},
	}
}

// parseProxy gives the Proxy that a document means, nil if it cannot be taken.
func parseProxy(doc *Document) (*Proxy, []Problem) {
	c := &checker{doc: doc}
	spec := &graftv1alpha1.ProxySpec{}
	if written := doc.Proxy.GetSpec(); written != nil {
		spec = proto.Clone(written).(*graftv1alpha1.ProxySpec)
	}
	fillProxy(spec)
	c.proxy(spec)
	if c.refused {
		return nil, c.problems
	}
	proxy := &Proxy{Key: doc.Key, Origin: doc.At, Spec: spec, Files: doc.Files}
	proxy.Hash = proxyHash(proxy)
	return proxy, nil
}

// proxyHash is Proxy.Hash: the document and the bytes of its files. The files' stamps are left out, for touching a
// certificate changes nothing.
func proxyHash(p *Proxy) string {
	parts := [][]byte{marshal(p.Spec)}
	for _, path := range slices.Sorted(maps.Keys(p.Files)) {
		parts = append(parts, []byte(path), p.Files[path].Data)
	}
	return hash(parts...)
}

// fillProxy writes every default into the spec, so that the builders need not know them.
func fillProxy(spec *graftv1alpha1.ProxySpec) {
	spec.Nodes = selectorOrNil(spec.GetNodes())
	for _, l := range spec.GetListeners() {
		fillListener(l)
	}
	for _, cluster := range spec.GetClusters() {
		fillCluster(cluster)
	}
}

func fillListener(l *graftv1alpha1.Listener) {
	l.OnMissing = orDefault(l.GetOnMissing(), "deny")
	l.Direction = orDefault(l.GetDirection(), "gateway")
	if l.GetSlots() == 0 {
		l.Slots = defaultSlots
	}
	if l.GetTls() != nil {
		l.Tls.MinVersion = orDefault(l.GetTls().GetMinVersion(), "1.2")
	}
	for _, r := range l.GetRoutes() {
		r.Timeout = orDuration(r.GetTimeout(), 15*time.Second)
		if r.GetRetry() != nil {
			r.Retry.When = orDefault(r.GetRetry().GetWhen(), "connect-failure,refused-stream")
			r.Retry.Attempts = orCount(r.GetRetry().GetAttempts(), 1)
		}
		if to := r.GetRedirect(); to != nil {
			to.Status = orCount(to.GetStatus(), 301)
		}
	}
}

func fillCluster(cluster *graftv1alpha1.Cluster) {
	cluster.ConnectTimeout = orDuration(cluster.GetConnectTimeout(), 5*time.Second)
	cluster.Policy = orDefault(cluster.GetPolicy(), "round_robin")
	if check := cluster.GetHealthCheck(); check != nil {
		check.Path = orDefault(check.GetPath(), "/")
		check.Interval = orDuration(check.GetInterval(), 10*time.Second)
		check.Timeout = orDuration(check.GetTimeout(), 2*time.Second)
		check.UnhealthyThreshold = orCount(check.GetUnhealthyThreshold(), 3)
		check.HealthyThreshold = orCount(check.GetHealthyThreshold(), 2)
	}
}

func orDuration(d *durationpb.Duration, standard time.Duration) *durationpb.Duration {
	if d == nil {
		return durationpb.New(standard)
	}
	return d
}

func orCount(n, standard uint32) uint32 {
	if n == 0 {
		return standard
	}
	return n
}
