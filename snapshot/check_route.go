package snapshot

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

func (c *checker) routes(field string, routes []*graftv1alpha1.Route, clusters []string) {
	names := map[string]bool{}
	for i, r := range routes {
		at := fmt.Sprintf("%s[%d]", field, i)
		if name := r.GetName(); name != "" {
			if names[name] {
				c.refuse(CodeDuplicate, at+".name", "targets.routes could not tell them apart", "route %q is defined twice", name)
			}
			names[name] = true
		}
		c.match(at, r)
		c.action(at, r, clusters)
		for j, host := range r.GetHosts() {
			if !isHostName(strings.TrimPrefix(host, "*.")) && !isAddress(host) {
				c.refuse(CodeRoute, fmt.Sprintf("%s.hosts[%d]", at, j), "for example app.example.com or *.example.com, without a port", "%q is not a host name", host)
			}
		}
	}
}

func (c *checker) match(at string, r *graftv1alpha1.Route) {
	switch is := r.GetMatch().(type) {
	case *graftv1alpha1.Route_Prefix:
		c.plainPath(at+".prefix", is.Prefix)
	case *graftv1alpha1.Route_Path:
		c.plainPath(at+".path", is.Path)
	case *graftv1alpha1.Route_Regex:
		if _, err := regexp.Compile(is.Regex); err != nil {
			c.refuse(CodeRoute, at+".regex", "write an RE2 expression: https://github.com/google/re2/wiki/Syntax", "%v", err)
		}
	default:
		c.refuse(CodeInvalid, at, "write exactly one of prefix, path and regex", "the route says nothing of which paths")
	}
}

// plainPath refuses a path that no request can have: Envoy matches the path without query and fragment.
func (c *checker) plainPath(field, path string) {
	if at := strings.IndexAny(path, "?#"); at >= 0 {
		c.refuse(CodeRoute, field, "remove it: routes match the path without query and fragment", "%q has a %c", path, path[at])
	}
}

func (c *checker) action(at string, r *graftv1alpha1.Route, clusters []string) {
	if r.GetCluster() == "" {
		c.onlyUpstream(at, r)
	}
	switch is := r.GetAction().(type) {
	case *graftv1alpha1.Route_Cluster:
		if !slices.Contains(clusters, is.Cluster) {
			c.refuse(CodeUnknownCluster, at+".cluster", didYouMean(is.Cluster, "cluster in this Proxy", clusters), "unknown cluster %q", is.Cluster)
		}
		c.retry(at+".retry", r.GetRetry())
	case *graftv1alpha1.Route_Redirect:
		to := is.Redirect
		if !to.GetHttps() && to.GetHost() == "" && to.GetPath() == "" {
			c.refuse(CodeRoute, at+".redirect", "write https, host or path", "the redirect leads nowhere else")
		}
	case *graftv1alpha1.Route_Response:
	default:
		c.refuse(CodeInvalid, at, "write exactly one of cluster, response and redirect", "the route says nothing of what happens")
	}
}

// onlyUpstream refuses what means nothing for an answer that the proxy gives itself.
func (c *checker) onlyUpstream(at string, r *graftv1alpha1.Route) {
	for _, field := range []struct {
		name    string
		written bool
	}{{"rewrite", r.GetRewrite() != ""}, {"hostRewrite", r.GetHostRewrite() != ""}, {"retry", r.GetRetry() != nil}} {
		if field.written {
			c.refuse(CodeRoute, at+"."+field.name, "remove it, or send the route to a cluster", "%s has no meaning for a route without a cluster", field.name)
		}
	}
}

// retryConditions are those of Envoy for HTTP and gRPC (x-envoy-retry-on, x-envoy-retry-grpc-on); others it ignores.
func retryConditions() []string {
	return []string{
		"5xx", "cancelled", "connect-failure", "deadline-exceeded", "envoy-ratelimited", "gateway-error", "http3-post-connect-failure",
		"internal", "refused-stream", "reset", "reset-before-request", "resource-exhausted", "retriable-4xx", "retriable-headers",
		"retriable-status-codes", "unavailable",
	}
}

func (c *checker) retry(field string, retry *graftv1alpha1.Retry) {
	if retry == nil {
		return
	}
	for condition := range strings.SplitSeq(retry.GetWhen(), ",") {
		if !slices.Contains(retryConditions(), condition) {
			c.refuse(CodeRoute, field+".when", didYouMean(condition, "condition", retryConditions()), "Envoy knows no retry condition %q", condition)
		}
	}
}

// isAddress says whether a host is an IP address, as it stands in a Host header.
func isAddress(host string) bool {
	parsed, ok := parseEndpoint(host + ":1")
	return ok && parsed.ip
}
