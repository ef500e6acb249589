package xds

import (
	"cmp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// attempt makes the bytes of a push differ from those that Envoy received last, where they might be the same: Envoy ACKs
// the same bytes even if it refused them. Streams in the same situation get the same attempt, so that the bytes are
// rendered once for all of them.
//
//   - On a stream, bytes that were answered with an ACK, or that another push followed, may go out again as they are.
//   - What a client received before this stream is known only if it is a fresh one, or nothing at all was on its way when
//     an earlier stream of it broke.
func (s *session) attempt(sl *slot, revision, seed string) string {
	if seed == "" && sl.last == "" && !s.fresh() {
		seed = s.server.options.Incarnation
	}
	head := cmp.Or(seed, s.server.options.Incarnation)
	attempt := seed
	for n := 1; s.received(sl, attempted(revision, attempt)); n++ {
		if attempt = head; n > 1 {
			attempt += "." + strconv.Itoa(n)
		}
	}
	return attempt
}

// received tells whether these bytes may be the last that the slot received.
func (s *session) received(sl *slot, version string) bool {
	return !sl.settled && sl.last == version || s.server.memories.isUnsettled(s.node.ID, sl.name, version)
}

// fresh tells whether the client has just started: it asked for listeners or clusters and told of no version of anything.
// Of a client that asks for neither nothing is known.
func (s *session) fresh() bool {
	return !s.reported && (s.watches[clusterIndex] != nil || s.watches[listenerIndex] != nil)
}

// memories are what is remembered of proxies beyond their streams, for a while.
type memories struct {
	clock Clock

	mu     sync.Mutex
	broken map[string]*memory // by node id: versions that were on their way when a stream broke
	cached map[string]*memory // by token: digests that the proxy fetched
}

type memory struct {
	at   time.Time
	what []string
}

const (
	memoryLife = time.Hour // since it was last added to
	memoryMost = 64        // things in one memory
	memorySize = 4096      // memories before old ones are looked for
)

func newMemories(clock Clock) *memories {
	return &memories{clock: clock, broken: map[string]*memory{}, cached: map[string]*memory{}}
}

func (m *memories) add(all map[string]*memory, key string, what ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock.Now()
	if len(all) >= memorySize {
		for k, old := range all {
			if now.Sub(old.at) > memoryLife {
				delete(all, k)
			}
		}
	}
	one := all[key]
	if one == nil {
		one = &memory{}
		all[key] = one
	}
	one.at = now
	for _, w := range what {
		if !slices.Contains(one.what, w) {
			one.what = append(one.what, w)
		}
	}
	if over := len(one.what) - memoryMost; over > 0 {
		one.what = slices.Delete(one.what, 0, over)
	}
}

func (m *memories) has(all map[string]*memory, key, what string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	one := all[key]
	return one != nil && slices.Contains(one.what, what)
}

func (m *memories) unsettled(node, slot, version string) { m.add(m.broken, node, slot+"\x00"+version) }

func (m *memories) isUnsettled(node, slot, version string) bool {
	return m.has(m.broken, node, slot+"\x00"+version)
}

func (m *memories) fetched(token string, digests ...string) { m.add(m.cached, token, digests...) }

func (m *memories) hasFetched(token, digest string) bool { return m.has(m.cached, token, digest) }
