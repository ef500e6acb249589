package snapshot

import (
	"fmt"
	"slices"
)

// checkTargets warns of targets that no Proxy document has, which are mostly misspelt. The filters stay in force all the
// same: the Proxy may come later. Where there is no Proxy document at all, the listeners are somebody else's.
func checkTargets(config *Config) []Problem {
	var problems []Problem
	for _, filter := range config.Filters {
		for i, target := range filter.Targets {
			warn := func(field, hint, format string, args ...any) {
				problems = append(problems, Problem{
					Origin: filter.Origin(fmt.Sprintf("spec.targets[%d].%s", i, field)),
					Code:   CodeUnknownTarget,
					What:   fmt.Sprintf(format, args...),
					Hint:   hint,
				})
			}
			checkTarget(target, config.Proxies, warn)
		}
	}
	return problems
}

func checkTarget(target Target, proxies []*Proxy, warn func(field, hint, format string, args ...any)) {
	within := proxies
	if target.Proxy != (Key{}) {
		at := slices.IndexFunc(proxies, func(p *Proxy) bool { return p.Key == target.Proxy })
		if at < 0 {
			warn("proxy", didYouMean(nameOf(target.Proxy), "Proxy document", proxyNames(proxies)), "there is no %s", target.Proxy)
			return
		}
		within = proxies[at : at+1]
	}
	if len(within) == 0 {
		return
	}
	listeners, routes := targetNames(within, target.Listeners)
	for i, name := range target.Listeners {
		if !slices.Contains(listeners, name) {
			warn(fmt.Sprintf("listeners[%d]", i), didYouMean(name, "listener", listeners), "no Proxy document has a listener %q", name)
		}
	}
	for i, name := range target.Routes {
		if !slices.Contains(routes, name) {
			warn(fmt.Sprintf("routes[%d]", i), didYouMean(name, "named route", routes), "no listener has a route %q", name)
		}
	}
}

func proxyNames(proxies []*Proxy) []string {
	var names []string
	for _, p := range proxies {
		names = append(names, nameOf(p.Key))
	}
	return names
}

func nameOf(key Key) string { return key.Namespace + "/" + key.Name }

// targetNames gives the names of all listeners of the proxies, and of the routes of those among them that are meant.
func targetNames(proxies []*Proxy, meant []string) (listeners, routes []string) {
	for _, p := range proxies {
		for _, l := range p.Spec.GetListeners() {
			listeners = append(listeners, l.GetName())
			if len(meant) > 0 && !slices.Contains(meant, l.GetName()) {
				continue
			}
			for _, r := range l.GetRoutes() {
				if r.GetName() != "" {
					routes = append(routes, r.GetName())
				}
			}
		}
		for _, r := range wholeResources(p.Spec) {
			if r.kind == "listener" {
				listeners = append(listeners, r.name)
			}
			routes = append(routes, r.routes...)
		}
	}
	return listeners, routes
}
