package snapshot

import (
	"slices"
	"strings"
	"testing"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// TestHosts compares the virtual hosts with what a document says: the first route that matches wins. Envoy's choice of a
// virtual host (exact, then the longest suffix, then "*") is written down here once more, in the plainest way.
func TestHosts(t *testing.T) {
	hosts := []string{"a.example.com", "b.a.example.com", "*.example.com", "*.a.example.com", "example.com", "*.com", "Other.org"}
	requests := []string{
		"a.example.com", "b.a.example.com", "c.a.example.com", "x.example.com", "example.com", "x.com", "other.org", "unknown", ".example.com", "xexample.com",
	}
	for pattern := range 1 << len(hosts) { // every set of hosts on the first route, every other one on the second
		var first, second []string
		for i, host := range hosts {
			if pattern>>i&1 == 1 {
				first = append(first, host)
			} else if i%2 == 0 {
				second = append(second, host)
			}
		}
		routes := []*graftv1alpha1.Route{{Hosts: first}, {Hosts: second}, {}}
		vhosts := virtualHosts(routes)
		for _, request := range requests {
			want := slices.IndexFunc(routes, func(r *graftv1alpha1.Route) bool {
				return len(r.GetHosts()) == 0 || slices.ContainsFunc(r.GetHosts(), func(host string) bool { return hostMatches(strings.ToLower(host), request) })
			})
			if got := envoysChoice(vhosts, request).routes[0]; got != want {
				t.Fatalf("hosts %v and %v, request for %s: route %d, want %d", first, second, request, got, want)
			}
		}
	}
}

func hostMatches(host, request string) bool {
	suffix, wildcard := strings.CutPrefix(host, "*")
	if !wildcard {
		return host == request
	}
	return strings.HasSuffix(request, suffix) && len(request) > len(suffix)
}

func envoysChoice(vhosts []virtualHost, request string) virtualHost {
	best, chosen := "", virtualHost{}
	for _, vhost := range vhosts {
		for _, domain := range vhost.domains {
			switch {
			case domain == request:
				return vhost
			case strings.HasPrefix(domain, "*") && hostMatches(domain, request) && len(domain) > len(best):
				best, chosen = domain, vhost
			}
		}
	}
	return chosen
}

func TestCovers(t *testing.T) {
	selector := func(id, cluster string, labels ...string) *graftv1alpha1.NodeSelector {
		s := &graftv1alpha1.NodeSelector{Id: id, Cluster: cluster}
		for _, label := range labels {
			if s.MatchLabels == nil {
				s.MatchLabels = map[string]string{}
			}
			name, value, _ := strings.Cut(label, "=")
			s.MatchLabels[name] = value
		}
		return s
	}
	for _, c := range []struct {
		a, b *graftv1alpha1.NodeSelector
		want bool
	}{
		{nil, nil, true},
		{nil, selector("x", "y"), true},
		{selector("x", "y"), nil, false},
		{selector("*", ""), nil, true},
		{selector("x-*", ""), selector("x-1", ""), true},
		{selector("x-*", ""), selector("y-1", ""), false},
		{selector("x-1", ""), selector("x-*", ""), false},
		{selector("x-*", ""), selector("x-*", ""), true},
		{selector("x-*", ""), selector("x-a-*", ""), false}, // it does, but that is not looked for
		{selector("", "c"), selector("", "c", "a=1"), true},
		{selector("", "c", "a=1"), selector("", "c"), false},
		{selector("", "c", "a=1"), selector("", "c", "a=2"), false},
		{selector("", "c", "a=1"), selector("", "c", "a=1", "b=1"), true},
	} {
		if got := covers(c.a, c.b); got != c.want {
			t.Errorf("%v covers %v: %v", c.a, c.b, got)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	for _, c := range []struct {
		name  string
		names []string
		want  string
	}{
		{"ap", []string{"app", "web"}, `did you mean "app"?`},
		{"payments", []string{"app", "web"}, `there is "app", "web"`},
		{"app", nil, "there is no cluster"},
		{"zzzzzz", strings.Fields("a b c d e f g h i j"), `there are "a", "b", "c", "d", "e", "f", "g", "h" and 2 more`},
	} {
		if got := didYouMean(c.name, "cluster", c.names); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestModulesCluster(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1": "type: STATIC", "::1": "type: STATIC", "graft.example.com": "envoy.cluster.strict_dns",
	} {
		r := modulesCluster(Options{ModuleHost: host, ModulePort: 18001})
		if r.Name != ModulesCluster || r.Type != ClusterType {
			t.Errorf("%s %s", r.Type, r.Name)
		}
		if err := validate(unpack(t, r)); err != nil {
			t.Error(err)
		}
		text := resourceYAML(t, r)
		for _, part := range []string{want, "address: " + host, "port_value: 18001"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s: no %q in\n%s", host, part, text)
			}
		}
	}
}
