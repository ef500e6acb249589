package envoytest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// adminLimit is how long the admin interface may take. It runs on the main thread, which compiles modules.
const adminLimit = 20 * time.Second

// Get fetches a path of the admin interface; a status other than 200 is an error with the text of the answer.
func (e *Envoy) Get(path string) (string, error) { return e.admin(http.MethodGet, path) }

// Post posts to a path of the admin interface, e.g. /logging?wasm=debug.
func (e *Envoy) Post(path string) (string, error) { return e.admin(http.MethodPost, path) }

func (e *Envoy) admin(method, path string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), adminLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+e.Admin+path, nil)
	if err != nil {
		return "", err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, strings.TrimSpace(string(body)))
	}
	return string(body), nil
}

// Stats returns the counters, gauges and text readouts whose name matches an RE2 expression, as text. Text readouts come
// without their quotes. Histograms are left out.
func (e *Envoy) Stats(filter string) (map[string]string, error) {
	text, err := e.Get("/stats?filter=" + url.QueryEscape(filter))
	if err != nil {
		return nil, err
	}
	stats := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || strings.HasPrefix(value, "P0(") || value == "No recorded values" {
			continue
		}
		stats[name] = strings.Trim(value, `"`)
	}
	return stats, nil
}

// Stat returns one counter or gauge by its exact name; one that Envoy has not made yet is 0.
func (e *Envoy) Stat(name string) (int64, error) {
	text, err := e.TextStat(name)
	if err != nil || text == "" {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("stat %s: %w", name, err)
	}
	return n, nil
}

// TextStat returns one stat by its exact name, as text; one that Envoy has not made yet is "".
func (e *Envoy) TextStat(name string) (string, error) {
	stats, err := e.Stats("^" + regexp.QuoteMeta(name) + "$")
	return stats[name], err
}

// Listeners are the counters that show whether an edit touched a listener, which closes its connections.
type Listeners struct {
	Added, Modified, Removed, Draining, Rejected int64
}

// Listeners reads the listener manager's counters.
func (e *Envoy) Listeners() (Listeners, error) {
	stats, err := e.Stats(`^listener_manager\.`)
	if err != nil {
		return Listeners{}, err
	}
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(stats["listener_manager."+name], 10, 64) // absent: never counted
		return n
	}
	return Listeners{
		Added: number("listener_added"), Modified: number("listener_modified"), Removed: number("listener_removed"),
		Draining: number("total_listeners_draining"), Rejected: number("lds.update_rejected"),
	}, nil
}

// Slot is what Envoy counts for one ECDS resource of an HTTP connection manager.
type Slot struct {
	Version string // version_text: what it runs, and after a false ACK what it does not run
	Reloads int64  // config_reload
	Fails   int64  // config_fail
	Refused int64  // update_rejected
}

// Slot reads the counters of an ECDS resource by its name. A slot that no listener names yet is zero.
func (e *Envoy) Slot(name string) (Slot, error) {
	prefix := "extension_config_discovery.http_filter." + name + "."
	stats, err := e.Stats("^" + regexp.QuoteMeta(prefix))
	if err != nil {
		return Slot{}, err
	}
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(stats[prefix+name], 10, 64) // absent: never counted
		return n
	}
	return Slot{
		Version: stats[prefix+"version_text"], Reloads: number("config_reload"),
		Fails: number("config_fail"), Refused: number("update_rejected"),
	}, nil
}

// ConfigDump returns the configurations in a /config_dump, each as JSON. The query ("resource=ecds_filters") may be empty.
func (e *Envoy) ConfigDump(query string) ([]json.RawMessage, error) {
	text, err := e.Get("/config_dump?" + query)
	if err != nil {
		return nil, err
	}
	var dump struct{ Configs []json.RawMessage }
	if err := json.Unmarshal([]byte(text), &dump); err != nil {
		return nil, fmt.Errorf("config_dump: %w", err)
	}
	return dump.Configs, nil
}

// ListenerAddress returns host:port of an active listener, for those that asked for port 0.
func (e *Envoy) ListenerAddress(name string) (string, error) {
	text, err := e.Get("/listeners?format=json")
	if err != nil {
		return "", err
	}
	var answer struct {
		Statuses []struct {
			Name    string
			Address struct {
				Socket struct {
					Address string
					Port    int `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return "", fmt.Errorf("listeners: %w", err)
	}
	for _, l := range answer.Statuses {
		if l.Name == name {
			return fmt.Sprintf("%s:%d", l.Address.Socket.Address, l.Address.Socket.Port), nil
		}
	}
	return "", fmt.Errorf("no active listener %q", name)
}
