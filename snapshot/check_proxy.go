package snapshot

import (
	"fmt"
	"net/netip"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// ModulesCluster is the cluster that leads to graft's module server.
const ModulesCluster = "graft-modules"

// proxy checks a ProxySpec whose defaults are filled in.
func (c *checker) proxy(spec *graftv1alpha1.ProxySpec) {
	resources := c.resources(spec.GetResources())
	for i, cluster := range spec.GetClusters() {
		c.cluster(fmt.Sprintf("spec.clusters[%d]", i), cluster)
	}
	clusters := clusterNames(spec, resources)
	for i, l := range spec.GetListeners() {
		field := fmt.Sprintf("spec.listeners[%d]", i)
		c.address(field+".address", l.GetAddress())
		c.listenerTLS(field+".tls", l.GetTls())
		c.routes(field+".routes", l.GetRoutes(), clusters)
	}
	c.unique(claims(spec, resources))
}

func (c *checker) address(field, address string) {
	parsed, err := netip.ParseAddrPort(address)
	if err != nil || parsed.Port() == 0 {
		c.refuse(CodeAddress, field, "for example 0.0.0.0:10000 or [::1]:10000", "%q is not an IP address and a port", address)
	}
}

// unique refuses a second claim to the same thing, each field once.
func (c *checker) unique(all []claim) {
	first, told := map[string]string{}, map[string]bool{}
	for _, claimed := range all {
		where, taken := first[claimed.what]
		switch {
		case !taken:
			first[claimed.what] = claimed.field
		case !told[claimed.field]:
			told[claimed.field] = true
			c.refuse(CodeDuplicate, claimed.field, "the other is "+where, "%s is defined twice", claimed.what)
		}
	}
}

// claim is something that only one may have on a proxy.
type claim struct {
	what  string // `listener "web"`
	field string // where it is claimed
}

// claims lists what a Proxy claims on the Envoys it selects, in the order of the document.
func claims(spec *graftv1alpha1.ProxySpec, resources []wholeResource) []claim {
	var all []claim
	add := func(field, kind, name string) {
		all = append(all, claim{what: fmt.Sprintf("%s %q", kind, name), field: field})
	}
	for i, l := range spec.GetListeners() {
		field := fmt.Sprintf("spec.listeners[%d]", i)
		add(field+".name", "listener", l.GetName())
		add(field+".name", "route configuration", l.GetName())
		if parsed, err := netip.ParseAddrPort(l.GetAddress()); err == nil {
			add(field+".address", "address", parsed.String())
		}
	}
	for i, cluster := range spec.GetClusters() {
		field := fmt.Sprintf("spec.clusters[%d].name", i)
		add(field, "cluster", cluster.GetName())
		add(field, "endpoints", cluster.GetName())
	}
	for _, secret := range secretNames(spec) {
		add("spec", "secret", secret)
	}
	for _, r := range resources {
		add(r.field, r.kind, r.name)
		if r.address != "" {
			add(r.field, "address", r.address)
		}
	}
	return all
}

func clusterNames(spec *graftv1alpha1.ProxySpec, resources []wholeResource) []string {
	var names []string
	for _, cluster := range spec.GetClusters() {
		names = append(names, cluster.GetName())
	}
	for _, r := range resources {
		if r.kind == "cluster" {
			names = append(names, r.name)
		}
	}
	return names
}
