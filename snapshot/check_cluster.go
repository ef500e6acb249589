package snapshot

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

func (c *checker) cluster(field string, cluster *graftv1alpha1.Cluster) {
	if cluster.GetName() == ModulesCluster {
		c.refuse(CodeClash, field+".name", "give it another name", "the name %q is taken by the cluster that leads to graft's module server", ModulesCluster)
	}
	if len(cluster.GetEndpoints()) == 0 {
		c.refuse(CodeAddress, field, `write endpoints, for example ["127.0.0.1:8080"]`, "cluster %q has no endpoints", cluster.GetName())
	}
	seen := map[endpoint]bool{}
	for i, written := range cluster.GetEndpoints() {
		at := fmt.Sprintf("%s.endpoints[%d]", field, i)
		parsed, ok := parseEndpoint(written)
		switch {
		case !ok:
			c.refuse(CodeAddress, at, "for example 127.0.0.1:8080, [::1]:8080 or app.example.com:80", "%q is not host:port", written)
		case seen[parsed]:
			c.refuse(CodeDuplicate, at, "", "%s is listed twice", written)
		}
		seen[parsed] = true
	}
	c.clusterTLS(field+".tls", cluster.GetTls())
}

// endpoint is a place to send requests to.
type endpoint struct {
	host string // an IP address or a name
	port uint32
	ip   bool
}

// parseEndpoint reads host:port, an IPv6 address in brackets.
func parseEndpoint(written string) (endpoint, bool) {
	if parsed, err := netip.ParseAddrPort(written); err == nil && parsed.Port() > 0 {
		return endpoint{host: parsed.Addr().String(), port: uint32(parsed.Port()), ip: true}, true
	}
	host, number, found := strings.Cut(written, ":")
	port, err := strconv.ParseUint(number, 10, 16)
	if !found || err != nil || port == 0 || !isHostName(host) {
		return endpoint{}, false
	}
	return endpoint{host: host, port: uint32(port)}, true
}

// isHostName says whether DNS could know the name (RFC 1123, and underscores as many service registries use them). A
// name of numbers only is a mistyped IP address.
func isHostName(name string) bool {
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > 253 {
		return false
	}
	letters := false
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, r := range label {
			switch {
			case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_', r == '-':
				letters = true
			case r < '0' || r > '9':
				return false
			}
		}
	}
	return letters
}
