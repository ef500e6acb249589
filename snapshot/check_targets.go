package snapshot

import (
	"fmt"
	"maps"
	"slices"
)

// checkTargets warns of targets that no Proxy document has, which are mostly misspelt. The filters stay in force all the
// same: the Proxy may come later. Where there is no Proxy document at all, the listeners are somebody else's. As long as
// the Proxies have the same names as before, only the fresh filters are looked at.
func (c *Config) checkTargets(before *Config, fresh []*inForce[Filter]) []Problem {
	c.parsed.warnings = map[*inForce[Filter]][]Problem{}
	var problems []Problem
	warn := func(filter *inForce[Filter], found []Problem) {
		if len(found) > 0 {
			c.parsed.warnings[filter] = found
			problems = append(problems, found...)
		}
	}
	if !slices.EqualFunc(c.parsed.names, before.parsed.names, targetable.equal) {
		fresh = c.parsed.filters
	} else if len(before.parsed.warnings) > 0 {
		for _, filter := range c.parsed.filters {
			warn(filter, before.parsed.warnings[filter])
		}
	}
	for _, filter := range fresh {
		warn(filter, targetsUnknown(filter.form, c.parsed.names))
	}
	return problems
}

func targetsUnknown(filter *Filter, names []targetable) []Problem {
	var problems []Problem
	for i := range filter.Targets {
		checkTarget(&filter.Targets[i], names, func(field, hint, format string, args ...any) {
			problems = append(problems, Problem{
				Origin: filter.Origin(fmt.Sprintf("spec.targets[%d].%s", i, field)),
				Code:   CodeUnknownTarget,
				What:   fmt.Sprintf(format, args...),
				Hint:   hint,
			})
		})
	}
	return problems
}

// targetable is what targets can name in one Proxy.
type targetable struct {
	proxy     Key
	listeners []string
	routes    map[string][]string // names of the routes of each listener; under "" those of whole route configurations
}

func (t targetable) equal(other targetable) bool {
	return t.proxy == other.proxy && slices.Equal(t.listeners, other.listeners) && maps.EqualFunc(t.routes, other.routes, slices.Equal)
}

func namesOf(proxies []*inForce[claimed]) []targetable {
	names := make([]targetable, len(proxies))
	for i, p := range proxies {
		names[i] = p.form.names
	}
	return names
}

func targetsOf(p *Proxy, wholes []wholeResource) targetable {
	t := targetable{proxy: p.Key, routes: map[string][]string{}}
	for _, l := range p.Spec.GetListeners() {
		t.listeners = append(t.listeners, l.GetName())
		for _, r := range l.GetRoutes() {
			if r.GetName() != "" {
				t.routes[l.GetName()] = append(t.routes[l.GetName()], r.GetName())
			}
		}
	}
	for _, whole := range wholes {
		if whole.kind == "listener" {
			t.listeners = append(t.listeners, whole.name)
		}
		t.routes[""] = append(t.routes[""], whole.routes...)
	}
	return t
}

func checkTarget(target *Target, within []targetable, warn func(field, hint, format string, args ...any)) {
	if target.Proxy != (Key{}) {
		at := slices.IndexFunc(within, func(t targetable) bool { return t.proxy == target.Proxy })
		if at < 0 {
			warn("proxy", didYouMean(nameOf(target.Proxy), "Proxy document", proxyNames(within)), "there is no %s", target.Proxy)
			return
		}
		within = within[at : at+1]
	}
	if len(within) == 0 || len(target.Listeners)+len(target.Routes) == 0 {
		return
	}
	listeners, routes := namesWithin(within, target.Listeners)
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

func proxyNames(all []targetable) []string {
	names := make([]string, len(all))
	for i := range all {
		names[i] = nameOf(all[i].proxy)
	}
	return names
}

func nameOf(key Key) string { return key.Namespace + "/" + key.Name }

// namesWithin gives the names of all listeners, and of the routes of those among them that are meant.
func namesWithin(all []targetable, meant []string) (listeners, routes []string) {
	for _, t := range all {
		listeners = append(listeners, t.listeners...)
		for _, l := range t.listeners {
			if len(meant) == 0 || slices.Contains(meant, l) {
				routes = append(routes, t.routes[l]...)
			}
		}
		routes = append(routes, t.routes[""]...)
	}
	return listeners, routes
}
