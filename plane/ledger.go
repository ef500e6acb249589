package plane

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/graft-xds/graft/xds"
)

// verdictLife is how long a verdict is kept that nothing has touched: an Envoy that was away for longer is asked again.
const verdictLife = 30 * 24 * time.Hour

// Ledger keeps what proxies refused in a folder: a small JSON file for each verdict, and the bytes of the last good
// contents once for all verdicts that name them. It implements xds.Ledger; its methods may be called from any goroutine.
type Ledger struct {
	Now func() time.Time // the time by which verdicts grow old; never nil

	dir string

	mu sync.Mutex // one writer at a time
}

// NewLedger opens the folder, which need not exist yet.
func NewLedger(dir *Dir) *Ledger { return &Ledger{Now: time.Now, dir: dir.Verdicts()} }

// storedVerdict is a verdict on disk; the bytes of the good content are a file of their own.
type storedVerdict struct {
	xds.Verdict
	GoodFile string `json:",omitempty"`
}

// Load implements xds.Ledger. A file that cannot be read is left out, and told in the error; a verdict whose content is gone
// still says what not to send.
func (l *Ledger) Load() ([]xds.Verdict, error) {
	entries, err := os.ReadDir(l.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read verdicts: %w", err)
	}
	var verdicts []xds.Verdict
	var failed []error
	contents := map[string][]byte{} // many verdicts name one content, which may be large
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".json") {
			continue
		}
		path := filepath.Join(l.dir, entry.Name())
		v, err := readVerdict(path)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if l.Now().Sub(v.At) > verdictLife {
			failed = append(failed, os.Remove(path))
			continue
		}
		if v.Good != nil && v.GoodFile != "" {
			v.Good.Body, err = l.content(v.GoodFile, contents)
			failed = append(failed, err)
		}
		verdicts = append(verdicts, v.Verdict)
	}
	l.sweep(verdicts)
	return verdicts, errors.Join(failed...)
}

func readVerdict(path string) (storedVerdict, error) {
	var v storedVerdict
	data, err := os.ReadFile(path)
	if err != nil {
		return v, fmt.Errorf("read verdict: %w", err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return v, fmt.Errorf("read verdict %s: %w", path, err)
	}
	return v, nil
}

// content reads a content once.
func (l *Ledger) content(name string, known map[string][]byte) ([]byte, error) {
	if body, ok := known[name]; ok {
		return body, nil
	}
	body, err := os.ReadFile(filepath.Join(l.dir, filepath.Base(name)))
	known[name] = body
	if err != nil {
		return nil, fmt.Errorf("read last good content: %w", err)
	}
	return body, nil
}

// Save implements xds.Ledger.
func (l *Ledger) Save(v xds.Verdict) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := os.MkdirAll(l.dir, 0o750); err != nil {
		return fmt.Errorf("write verdict: %w", err)
	}
	stored := storedVerdict{Verdict: v}
	if v.Good != nil {
		good := *v.Good
		stored.Good, good.Body = &good, nil
		if v.Good.Body != nil {
			stored.GoodFile = goodFile(v)
			path := filepath.Join(l.dir, stored.GoodFile)
			if _, err := os.Stat(path); err != nil {
				if err := replaceFile(path, v.Good.Body, true); err != nil {
					return fmt.Errorf("write last good content: %w", err)
				}
			}
		}
	}
	data, err := json.MarshalIndent(stored, "", "  ")
	if err != nil {
		return fmt.Errorf("write verdict: %w", err)
	}
	// Ten thousand proxies may refuse one edit at once, and no disk keeps up with that. A machine that dies now costs no more
	// than a verdict, and the proxy says it again.
	if err := replaceFile(filepath.Join(l.dir, hash(v.Node, v.Envoy, v.Slot, v.Revision)+".json"), data, false); err != nil {
		return fmt.Errorf("write verdict: %w", err)
	}
	return nil
}

// sweep removes contents that no verdict names any more, and what a process left that died while it wrote.
func (l *Ledger) sweep(verdicts []xds.Verdict) {
	named := map[string]bool{}
	for _, v := range verdicts {
		if v.Good != nil {
			named[goodFile(v)] = true
		}
	}
	removePartial(l.dir)
	contents, err := filepath.Glob(filepath.Join(l.dir, "*.content"))
	if err != nil {
		return
	}
	for _, path := range contents {
		if !named[filepath.Base(path)] {
			_ = os.Remove(path) // one that stays costs only its bytes
		}
	}
}

// goodFile names the content of a verdict: equal slot and revision mean equal bytes.
func goodFile(v xds.Verdict) string { return hash(v.Slot, v.Good.Revision) + ".content" }

func hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:12])
}
