package snapshot

import "maps"

// Reuse gives the same Config with the filters and proxies of prev, by pointer, wherever they mean the same and are
// written in the same place; so a Build that follows sees by pointer what did not change. A nil prev is allowed.
func (c *Config) Reuse(prev *Config) *Config {
	out := &Config{Filters: c.Filters, Proxies: c.Proxies, Selection: c.Selection, Documents: c.Documents}
	if prev == nil {
		return out
	}
	moved := movedDocuments(c.Documents, prev.Documents)
	out.Filters = reuse(c.Filters, prev.Filters, func(f *Filter) (Key, string) { return f.Key, f.Hash }, moved)
	out.Proxies = reuse(c.Proxies, prev.Proxies, func(p *Proxy) (Key, string) { return p.Key, p.Hash }, moved)
	return out
}

// movedDocuments gives the keys whose documents stand elsewhere than before, so that origins of before are wrong.
func movedDocuments(now, before []Document) map[Key]bool {
	old := make(map[Key]*Document, len(before))
	for i := range before {
		old[before[i].Key] = &before[i]
	}
	moved := map[Key]bool{}
	for i := range now {
		was := old[now[i].Key]
		if was == nil || was.Origin != now[i].Origin || !maps.Equal(was.Positions, now[i].Positions) {
			moved[now[i].Key] = true
		}
	}
	return moved
}

func reuse[T any](now, before []*T, id func(*T) (Key, string), moved map[Key]bool) []*T {
	old := make(map[Key]*T, len(before))
	for _, object := range before {
		key, _ := id(object)
		old[key] = object
	}
	out := make([]*T, len(now))
	for i, object := range now {
		out[i] = object
		key, hash := id(object)
		if was := old[key]; was != nil && !moved[key] {
			if _, had := id(was); had == hash {
				out[i] = was
			}
		}
	}
	return out
}
