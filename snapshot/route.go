package snapshot

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// bodyLimit is how much of a body filters may hold at once: the 1 MiB that Envoy has by default. Without it the limit
// would be connectionBuffer, and a filter that rewrites a page of 100 kB would get 413 for the request and 500 for the
// answer. Although Envoy calls it request_body_buffer_limit, answers follow it too (tried with 1.37 and 1.40, HTTP/1.1
// and HTTP/2); flow control does not.
const bodyLimit = 1 << 20

// defaultResponseLimit is the most bytes that Envoy takes for the body of a direct response unless told otherwise.
const defaultResponseLimit = 4096

// routeResource builds the routes of a listener. perRoute gives the filter configuration of a named route, vhostAny that
// of every virtual host; both may be nil.
func routeResource(_ *Proxy, l *graftv1alpha1.Listener, perRoute func(route string) map[string]*anypb.Any, vhostAny map[string]*anypb.Any) *Resource {
	config := &routev3.RouteConfiguration{
		Name:                           l.GetName(),
		IgnorePortInHostMatching:       true, // hosts are written without a port
		MaxDirectResponseBodySizeBytes: responseLimit(l.GetRoutes()),
	}
	built := make([]*routev3.Route, len(l.GetRoutes()))
	for i, r := range l.GetRoutes() {
		built[i] = routeMessage(r)
		if perRoute != nil && r.GetName() != "" {
			built[i].TypedPerFilterConfig = perRoute(r.GetName())
		}
	}
	for i, host := range virtualHosts(l.GetRoutes()) {
		vhost := &routev3.VirtualHost{
			Name:                   fmt.Sprintf("%s/%d", l.GetName(), i),
			Domains:                host.domains,
			TypedPerFilterConfig:   vhostAny,
			RequestBodyBufferLimit: wrapperspb.UInt64(bodyLimit),
		}
		for _, at := range host.routes {
			vhost.Routes = append(vhost.Routes, built[at])
		}
		config.VirtualHosts = append(config.VirtualHosts, vhost)
	}
	return newResource(l.GetName(), config)
}

// virtualHost is domains with the same routes, by index.
type virtualHost struct {
	domains []string
	routes  []int
}

// virtualHosts keeps "in order, the first that matches wins" although Envoy chooses the most specific domain before it
// looks at routes: each domain gets every route whose hosts take it in. Domains with the same routes share one.
func virtualHosts(routes []*graftv1alpha1.Route) []virtualHost {
	var out []virtualHost
	for _, domain := range domains(routes) {
		var meant []int
		for i, r := range routes {
			if len(r.GetHosts()) == 0 || slices.ContainsFunc(r.GetHosts(), func(host string) bool { return takesIn(strings.ToLower(host), domain) }) {
				meant = append(meant, i)
			}
		}
		same := slices.IndexFunc(out, func(h virtualHost) bool { return slices.Equal(h.routes, meant) })
		if same >= 0 {
			out[same].domains = append(out[same].domains, domain)
		} else {
			out = append(out, virtualHost{domains: []string{domain}, routes: meant})
		}
	}
	return out
}

// domains lists every host that is written, sorted, and "*" at the end, for hosts that no route names.
func domains(routes []*graftv1alpha1.Route) []string {
	var all []string
	for _, r := range routes {
		for _, host := range r.GetHosts() {
			all = append(all, strings.ToLower(host))
		}
	}
	slices.Sort(all)
	return append(slices.Compact(all), "*")
}

// takesIn says whether everything that the domain matches is matched by the host.
func takesIn(host, domain string) bool {
	suffix, wildcard := strings.CutPrefix(host, "*")
	return host == domain || wildcard && strings.HasSuffix(domain, suffix) && len(domain) > len(suffix)
}

func responseLimit(routes []*graftv1alpha1.Route) *wrapperspb.UInt32Value {
	limit := defaultResponseLimit
	for _, r := range routes {
		limit = max(limit, len(r.GetResponse().GetBody()))
	}
	if limit == defaultResponseLimit {
		return nil
	}
	return wrapperspb.UInt32(uint32(limit))
}

func routeMessage(r *graftv1alpha1.Route) *routev3.Route {
	out := &routev3.Route{Name: r.GetName(), Match: routeMatch(r)}
	switch is := r.GetAction().(type) {
	case *graftv1alpha1.Route_Cluster:
		out.Action = &routev3.Route_Route{Route: routeAction(r, is.Cluster)}
	case *graftv1alpha1.Route_Response:
		out.Action = &routev3.Route_DirectResponse{DirectResponse: directResponse(is.Response)}
	case *graftv1alpha1.Route_Redirect:
		out.Action = &routev3.Route_Redirect{Redirect: redirect(is.Redirect)}
	}
	return out
}

func routeMatch(r *graftv1alpha1.Route) *routev3.RouteMatch {
	match := &routev3.RouteMatch{}
	switch is := r.GetMatch().(type) {
	case *graftv1alpha1.Route_Prefix:
		if strings.HasSuffix(is.Prefix, "/") {
			match.PathSpecifier = &routev3.RouteMatch_Prefix{Prefix: is.Prefix}
		} else {
			match.PathSpecifier = &routev3.RouteMatch_PathSeparatedPrefix{PathSeparatedPrefix: is.Prefix}
		}
	case *graftv1alpha1.Route_Path:
		match.PathSpecifier = &routev3.RouteMatch_Path{Path: is.Path}
	case *graftv1alpha1.Route_Regex:
		match.PathSpecifier = &routev3.RouteMatch_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: is.Regex}}
	}
	if methods := r.GetMethods(); len(methods) > 0 {
		match.Headers = []*routev3.HeaderMatcher{{
			Name:                 ":method",
			HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{StringMatch: oneOf(methods)},
		}}
	}
	return match
}

// oneOf matches any of some plain words.
func oneOf(words []string) *matcherv3.StringMatcher {
	if len(words) == 1 {
		return &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: words[0]}}
	}
	return &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_SafeRegex{
		SafeRegex: &matcherv3.RegexMatcher{Regex: strings.Join(words, "|")},
	}}
}

func routeAction(r *graftv1alpha1.Route, cluster string) *routev3.RouteAction {
	action := &routev3.RouteAction{
		ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: cluster},
		Timeout:          r.GetTimeout(),
		RetryPolicy:      retryPolicy(r.GetRetry()),
	}
	if r.GetTimeout().AsDuration() == 0 {
		action.IdleTimeout = durationpb.New(0) // a stream may be silent for longer than streamIdleTimeout
	}
	if r.GetHostRewrite() != "" {
		action.HostRewriteSpecifier = &routev3.RouteAction_HostRewriteLiteral{HostRewriteLiteral: r.GetHostRewrite()}
	}
	rewrite(action, r)
	return action
}

// rewrite replaces what was matched, with one slash where the rest begins. `/api` by `/` cannot be a prefix_rewrite:
// Envoy would turn /api/x into //x.
func rewrite(action *routev3.RouteAction, r *graftv1alpha1.Route) {
	prefix, to := r.GetPrefix(), r.GetRewrite()
	slashFrom, slashTo := strings.HasSuffix(prefix, "/"), strings.HasSuffix(to, "/")
	switch {
	case to == "" || prefix == "" || slashFrom == slashTo:
		action.PrefixRewrite = to
	case slashFrom:
		action.PrefixRewrite = to + "/"
	default:
		action.RegexRewrite = &matcherv3.RegexMatchAndSubstitute{
			Pattern:      &matcherv3.RegexMatcher{Regex: "^" + regexp.QuoteMeta(prefix) + "/*"},
			Substitution: strings.ReplaceAll(to, `\`, `\\`),
		}
	}
}

func retryPolicy(retry *graftv1alpha1.Retry) *routev3.RetryPolicy {
	if retry == nil {
		return nil
	}
	return &routev3.RetryPolicy{
		RetryOn:       retry.GetWhen(),
		NumRetries:    wrapperspb.UInt32(retry.GetAttempts()),
		PerTryTimeout: retry.GetPerTryTimeout(),
	}
}

func directResponse(response *graftv1alpha1.DirectResponse) *routev3.DirectResponseAction {
	out := &routev3.DirectResponseAction{Status: response.GetStatus()}
	if response.GetBody() != "" {
		out.Body = &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: response.GetBody()}}
	}
	return out
}

func redirect(to *graftv1alpha1.Redirect) *routev3.RedirectAction {
	codes := map[uint32]routev3.RedirectAction_RedirectResponseCode{
		301: routev3.RedirectAction_MOVED_PERMANENTLY,
		302: routev3.RedirectAction_FOUND,
		303: routev3.RedirectAction_SEE_OTHER,
		307: routev3.RedirectAction_TEMPORARY_REDIRECT,
		308: routev3.RedirectAction_PERMANENT_REDIRECT,
	}
	out := &routev3.RedirectAction{HostRedirect: to.GetHost(), ResponseCode: codes[to.GetStatus()]}
	if to.GetHttps() {
		out.SchemeRewriteSpecifier = &routev3.RedirectAction_HttpsRedirect{HttpsRedirect: true}
	}
	if to.GetPath() != "" {
		out.PathRewriteSpecifier = &routev3.RedirectAction_PathRedirect{PathRedirect: to.GetPath()}
	}
	return out
}
