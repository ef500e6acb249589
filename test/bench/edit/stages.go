package edit

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// stages is the time that graft says it has spent in each stage of publishing, since it started.
type stages map[string]time.Duration

var stageLine = regexp.MustCompile(`^graft_publish_stage_seconds_sum\{stage="(\w+)"\} (\S+)$`)

// readStages asks the admin interface of a running graft.
func readStages(ctx context.Context, admin string) (stages, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	defer answer.Body.Close()
	all := stages{}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		found := stageLine.FindStringSubmatch(lines.Text())
		if found == nil {
			continue
		}
		seconds, err := strconv.ParseFloat(found[2], 64)
		if err != nil {
			return nil, fmt.Errorf("read metrics: %q: %w", lines.Text(), err)
		}
		all[found[1]] = time.Duration(seconds * float64(time.Second))
	}
	return all, lines.Err()
}

// since is what was spent after an earlier reading.
func (s stages) since(earlier stages) stages {
	spent := stages{}
	for name, sum := range s {
		spent[name] = sum - earlier[name]
	}
	return spent
}
