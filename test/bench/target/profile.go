package target

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
)

// Profile asks for a profile of the server, into a file.
type Profile struct {
	Kind string // "heap", "goroutine", …: what runtime/pprof knows; "cpu" begins one, "" ends it
	Path string
}

// profile writes a profile at once; one of the CPU lasts until the next call.
func (p *process) profile(_ context.Context, asked Profile) (struct{}, error) {
	if p.profiling != nil {
		pprof.StopCPUProfile()
		err := p.profiling.Close()
		p.profiling = nil
		if err != nil || asked.Kind == "" {
			return struct{}{}, err
		}
	}
	file, err := os.Create(asked.Path)
	if err != nil {
		return struct{}{}, err
	}
	if asked.Kind == "cpu" {
		p.profiling = file
		return struct{}{}, pprof.StartCPUProfile(file)
	}
	known := pprof.Lookup(asked.Kind)
	if known == nil {
		return struct{}{}, errors.Join(fmt.Errorf("no profile %q", asked.Kind), file.Close())
	}
	return struct{}{}, errors.Join(known.WriteTo(file, 0), file.Close())
}
