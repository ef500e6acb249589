package fleet

import "slices"

// Times are the moments of some ACKs, by control.Now.
type Times struct {
	Proxies                  int
	First, Median, P99, Last int64
}

func (f *Fleet) times(versions map[string]string) Times {
	var at []int64
	for _, p := range f.judged() {
		var latest int64
		for name := range versions {
			latest = max(latest, p.acked[name].at)
		}
		at = append(at, latest)
	}
	if len(at) == 0 {
		return Times{}
	}
	slices.Sort(at)
	return Times{Proxies: len(at), First: at[0], Median: at[len(at)/2], P99: at[len(at)*99/100], Last: at[len(at)-1]}
}

// Report is what the fleet saw since the last mark.
type Report struct {
	Proxies   int   // connected
	Responses int   // all together
	Least     int   // of one proxy that reads and accepts
	Most      int   // of any proxy
	Refusals  int   // NACKs sent
	Payload   int64 // bytes of all responses
	Failed    int   // streams that the server or the network ended
	Failure   string
	Versions  map[string]map[string]int // resource name, plain version: how many proxies accepted it last
	Sums      map[string][]uint32       // resource name: the different CRCs of what was accepted last
}

// Report tells what happened since the last mark.
func (f *Fleet) Report() Report {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := Report{Versions: map[string]map[string]int{}, Sums: map[string][]uint32{}, Least: -1}
	for _, p := range f.proxies {
		r.add(p)
	}
	for _, p := range f.judged() {
		if r.Least < 0 || p.responses < r.Least {
			r.Least = p.responses
		}
	}
	r.Least = max(r.Least, 0)
	return r
}

func (r *Report) add(p *proxy) {
	if p.stream != nil {
		r.Proxies++
	}
	if p.failure != nil {
		r.Failed++
		r.Failure = p.failure.Error()
	}
	r.Responses += p.responses
	r.Most = max(r.Most, p.responses)
	r.Refusals += p.refusals
	r.Payload += p.payload
	for name, version := range p.have {
		if r.Versions[name] == nil {
			r.Versions[name] = map[string]int{}
		}
		r.Versions[name][plain(version)]++
	}
	for name, sum := range p.sums {
		if !slices.Contains(r.Sums[name], sum) {
			r.Sums[name] = append(r.Sums[name], sum)
		}
	}
}

// Mark begins a new count.
func (f *Fleet) Mark() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.read = 0
	for _, p := range f.proxies {
		p.responses, p.refusals, p.payload = 0, 0, 0
	}
}
