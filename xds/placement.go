package xds

import (
	"cmp"
	"slices"

	"github.com/graft-xds/graft/snapshot"
)

// placement is the group that a session is in under a Config.
type placement struct {
	selection string
	group     snapshot.Group
}

// place puts the session into its group under the published Config, and adopts the group's resources. It is called when
// the node is known, when the slots that the client asks for change, and when something new was published. mu is held.
func (s *session) place() {
	now := s.server.published.Load()
	if now == nil || !s.known {
		return
	}
	if group := s.groupUnder(now.config); group.Key != s.group.Key {
		s.group = group
	}
	s.placed, s.epoch, s.next = now.config, now.epoch, nil
	res := now.result.Groups[s.group.Key]
	s.pending = res == nil
	if res == nil {
		s.server.signal() // it has to be built; until then the proxy keeps what it has
		return
	}
	if res != s.res {
		s.adopt(res, compareResources(s.res, res))
		if more := s.groupUnder(now.config); more.Key != s.group.Key {
			s.group = more // now it is known which slots are not ours
			if res := now.result.Groups[more.Key]; res != nil {
				s.adopt(res, compareResources(s.res, res))
			} else {
				s.pending = true
				s.server.signal()
			}
		}
	}
}

// groupUnder computes the group under a Config.
func (s *session) groupUnder(config *snapshot.Config) snapshot.Group {
	foreign := s.foreign()
	if s.placed != nil && s.placed.Selection == config.Selection && slices.Equal(foreign, s.group.Foreign) {
		return s.group
	}
	return config.Place(s.node, foreign, cmp.Or(s.group.Key, s.group.Previous))
}

// foreign gives the slots that the client asks for and that no listener of ours names, as far as that can be told: not
// before the group has been built once. A slot that was ours stays ours on this stream: what vanished is not spoken of.
func (s *session) foreign() []string {
	if s.res == nil {
		return nil
	}
	var names []string
	for name, sl := range s.slots {
		was := slices.Contains(s.group.Foreign, name)
		sl.ours = sl.ours || !was && s.res.Slots[name] != nil
		if !sl.ours {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Groups gives the distinct groups of the connected proxies as cfg places them, sorted by key. Call it before each Build.
func (s *Server) Groups(cfg *snapshot.Config) []snapshot.Group {
	byKey := map[string]snapshot.Group{}
	for _, one := range s.sessions() {
		one.mu.Lock()
		if one.known {
			if one.next == nil || one.next.selection != cfg.Selection || !slices.Equal(one.next.group.Foreign, one.foreign()) {
				one.next = &placement{cfg.Selection, one.groupUnder(cfg)}
			}
			group := one.next.group
			if before, ok := byKey[group.Key]; !ok || compareExamples(group, before) < 0 {
				byKey[group.Key] = group
			}
		}
		one.mu.Unlock()
	}
	groups := make([]snapshot.Group, 0, len(byKey))
	for _, group := range byKey {
		groups = append(groups, group)
	}
	slices.SortFunc(groups, func(a, b snapshot.Group) int { return cmp.Compare(a.Key, b.Key) })
	return groups
}

// compareExamples makes the choice of a group's example independent of the order of the sessions. One that knows where
// its proxies come from goes before one that does not.
func compareExamples(a, b snapshot.Group) int {
	return cmp.Or(-cmp.Compare(min(1, len(a.Previous)), min(1, len(b.Previous))), cmp.Compare(a.Previous, b.Previous),
		cmp.Compare(a.Node.ID, b.Node.ID))
}

// Wake tells that a proxy is in a group that the published Result does not have: Build again. Its capacity is 1.
func (s *Server) Wake() <-chan struct{} { return s.wake }

func (s *Server) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
