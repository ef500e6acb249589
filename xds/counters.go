package xds

import "sync/atomic"

// Counters count since the server was made, but for the streams, which are those open now.
type Counters struct {
	Streams      int
	DeltaStreams int                     // among Streams
	Types        map[string]TypeCounters // by type URL
}

// TypeCounters are those of one type.
type TypeCounters struct {
	Pushes, ACKs, NACKs uint64
	Bytes               uint64 // of responses, before framing
}

type counters [typeCount]struct{ pushes, acks, nacks, bytes atomic.Uint64 }

func (c *counters) pushed(index, size int) {
	c[index].pushes.Add(1)
	c[index].bytes.Add(uint64(size))
}

func (c *counters) answered(index int, refused bool) {
	if refused {
		c[index].nacks.Add(1)
	} else {
		c[index].acks.Add(1)
	}
}

// Counters gives the counters as they are now.
func (s *Server) Counters() Counters {
	out := Counters{Types: make(map[string]TypeCounters, typeCount)}
	for _, one := range s.sessions() {
		out.Streams++
		if one.delta {
			out.DeltaStreams++
		}
	}
	for i, typeURL := range typeURLs() {
		c := &s.counters[i]
		out.Types[typeURL] = TypeCounters{
			Pushes: c.pushes.Load(), ACKs: c.acks.Load(), NACKs: c.nacks.Load(), Bytes: c.bytes.Load(),
		}
	}
	return out
}
