package examples

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/graft-xds/graft/test/grafttest"
)

// suite lets grafttest build graft before the tests run.
type suite struct {
	m      *testing.M
	python string
}

func (s suite) Run() int {
	if err := os.Setenv("PYTHON", s.python); err != nil {
		fail(err)
	}
	return grafttest.Main(s.m)
}

// TestMain gives the scripts the commands of the READMEs. They are the real ones, kept off the ports that somebody else on
// the machine may use.
func TestMain(m *testing.M) {
	path, _ := exec.LookPath("python3") // now, while it is not one of the commands below
	testscript.Main(suite{m, path}, map[string]func(){
		"graft": graft, "envoy": envoy, "python3": python, "curl": curl,
	})
}

func graft() {
	args := os.Args[1:]
	if len(args) > 0 {
		switch args[0] {
		case "serve":
			args = append(args, "--xds", os.Getenv("XDS"), "--modules", os.Getenv("MODULES"), "--admin", os.Getenv("ADMIN"))
		case "bootstrap":
			args = append(args, "--xds", os.Getenv("XDS"), "--admin", "127.0.0.1:0")
		case "status", "diff":
			args = append(args, "--admin", os.Getenv("ADMIN"))
		}
	}
	become("GRAFT_BINARY", args)
}

func envoy() {
	become("ENVOY", append(os.Args[1:], "--disable-hot-restart", "--concurrency", "2", "--log-level", "warn"))
}

func python() { become("PYTHON", ported(os.Args[1:])) }

// become runs the program that a variable names in the place of this process, so that signals reach it.
func become(variable string, args []string) {
	path := os.Getenv(variable)
	fail(syscall.Exec(path, append([]string{path}, args...), os.Environ()))
}

// ported puts free ports in the place of those that the examples name.
func ported(args []string) []string {
	out := slices.Clone(args)
	for i := range out {
		for _, port := range ports() {
			out[i] = strings.ReplaceAll(out[i], port, os.Getenv("PORT_"+port))
		}
	}
	return out
}

// ports are those of the examples: of listeners and of upstreams.
func ports() []string { return []string{"10000", "8080"} }

// curl knows -i and a URL. A reader waits until what was started is up; so does it.
func curl() {
	url := ""
	for _, arg := range ported(os.Args[1:]) {
		if !strings.HasPrefix(arg, "-") {
			url = arg
		}
	}
	if !strings.Contains(url, "://") {
		url = "http://" + url
	}
	ctx, cancel := context.WithTimeout(context.Background(), grafttest.Patience)
	defer cancel()
	for tick := time.Tick(20 * time.Millisecond); ; <-tick {
		err := show(ctx, url)
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			fail(err)
		}
	}
}

func show(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("%s: %s: %s", url, res.Status, body)
	}
	fmt.Println(res.Proto, res.Status)
	for name, values := range res.Header {
		fmt.Printf("%s: %s\n", strings.ToLower(name), strings.Join(values, ", "))
	}
	fmt.Printf("\n%s", body)
	return nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// goSettings are what a script needs to build a module with the caches that are there.
func goSettings() ([]string, error) {
	names := []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS", "GOSUMDB"}
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	values := strings.Split(string(out), "\n")
	var settings []string
	for i, name := range names {
		settings = append(settings, name+"="+values[i])
	}
	return settings, nil
}
