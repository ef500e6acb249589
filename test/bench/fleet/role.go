package fleet

import (
	"context"
	"io"
	"time"

	"github.com/graft-xds/graft/test/bench/control"
)

// Role is the name of the fleet's process.
const Role = "fleet"

// Begin is the first request to the process.
type Begin struct {
	Limit int64 // bytes that may be read between two marks
}

// Wait asks for the times of ACKs.
type Wait struct {
	Versions map[string]string
	Patience time.Duration
}

// Stall names proxies that shall stop reading.
type Stall struct{ From, Count int }

// Run is the fleet's process: it obeys requests until its input ends.
func Run(ctx context.Context, in io.Reader, out io.Writer) error {
	f := New(0)
	defer f.Leave()
	type none struct{}
	return control.Serve(ctx, in, out, map[string]control.Verb{
		"begin":   control.Typed(func(_ context.Context, b Begin) (none, error) { f.limit = b.Limit; return none{}, nil }),
		"connect": control.Typed(f.Connect),
		"await": control.Typed(func(ctx context.Context, w Wait) (Times, error) {
			return f.Await(ctx, w.Versions, w.Patience)
		}),
		"stall":  control.Typed(func(_ context.Context, s Stall) (none, error) { return none{}, f.Stall(s.From, s.Count) }),
		"mark":   control.Typed(func(context.Context, none) (none, error) { f.Mark(); return none{}, nil }),
		"report": control.Typed(func(context.Context, none) (Report, error) { return f.Report(), nil }),
		"leave":  control.Typed(func(context.Context, none) (none, error) { f.Leave(); return none{}, nil }),
	})
}
