package main

import (
	"fmt"
	"time"
)

// sizes is how much a run measures.
type sizes struct {
	Proxies     int
	Passes      int           // each runs every server once, one after the other
	SmallPushes int           // publishes of a configuration in a pass
	LargePushes int           // publishes of a module in a pass
	Small       int           // bytes of a configuration
	Large       int           // bytes of a module
	Neighbour   int           // bytes of the one large resource among the ten
	Edits       int           // saves of each kind under a real Envoy in a pass
	Refusing    time.Duration // how long a proxy refuses everything
	Patience    time.Duration // how long a publish may take to reach every proxy
	Sums        bool          // compare the bodies of publishes by checksum too, which takes the proxies time
	Memory      int64         // bytes of RSS at which a server ends itself
}

func sizesOf(name string) (sizes, error) {
	switch name {
	case "full":
		return sizes{
			Proxies: 2000, Passes: 3, SmallPushes: 6, LargePushes: 2,
			Small: 2 << 10, Large: 3 << 20, Neighbour: 256 << 10, Edits: 10,
			Refusing: 3 * time.Second, Patience: 2 * time.Minute, Memory: 8 << 30,
		}, nil
	case "small":
		return sizes{
			Proxies: 200, Passes: 1, SmallPushes: 2, LargePushes: 1,
			Small: 2 << 10, Large: 256 << 10, Neighbour: 64 << 10, Edits: 3,
			Refusing: 500 * time.Millisecond, Patience: time.Minute, Sums: true, Memory: 4 << 30,
		}, nil
	}
	return sizes{}, fmt.Errorf("unknown size %q: want full or small", name)
}

// mostBytes bounds what one publish may put on the wire to all proxies together, and what a fleet reads between two marks.
const mostBytes = 10 << 30

func (s sizes) check() error {
	if total := int64(s.Proxies) * int64(s.Large); total > mostBytes {
		return fmt.Errorf("%d proxies × %d bytes is more than %d bytes a publish", s.Proxies, s.Large, int64(mostBytes))
	}
	return nil
}

// amount names a number of bytes in a table: "2 KB", "3 MB".
func amount(bytes int) string {
	if bytes >= 1<<20 {
		return fmt.Sprintf("%d MB", bytes>>20)
	}
	return fmt.Sprintf("%d KB", bytes>>10)
}
