package envoytest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestProcessStops(t *testing.T) {
	p, err := StartProcess(exec.Command("sh", "-c", "echo out; echo err >&2; exec sleep 100"), filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	Eventually(t, 5*time.Second, "output", func() error {
		if p.Log() != "out\nerr\n" {
			return os.ErrNotExist
		}
		return nil
	})
	if err := p.Stop(5 * time.Second); err == nil || !strings.Contains(err.Error(), "terminated") {
		t.Errorf("want the signal as the reason, got %v", err)
	}
	p.Kill() // after the end: nothing
}

func TestProcessThatIgnoresSIGTERMIsKilled(t *testing.T) {
	p, err := StartProcess(exec.Command("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"), filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	Eventually(t, 5*time.Second, "trap", func() error {
		if p.Log() == "" {
			return os.ErrNotExist
		}
		return nil
	})
	if err := p.Stop(50 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "still running") {
		t.Errorf("got %v", err)
	}
}

func TestProcessThatCannotStart(t *testing.T) {
	if _, err := StartProcess(exec.Command("/does/not/exist"), filepath.Join(t.TempDir(), "log")); err == nil {
		t.Error("want an error")
	}
}

// A killed parent takes its children along: this test runs itself as the parent.
func TestProcessDiesWithItsParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ties a child to its parent")
	}
	if os.Getenv("ENVOYTEST_PARENT") != "" {
		p, err := StartProcess(exec.Command("sleep", "100"), filepath.Join(t.TempDir(), "log"))
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("child " + strconv.Itoa(p.PID()) + "\n")
		<-p.Done()
		return
	}
	parent := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	parent.Env = append(os.Environ(), "ENVOYTEST_PARENT=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	child := 0
	for lines := bufio.NewScanner(out); child == 0 && lines.Scan(); {
		if pid, ok := strings.CutPrefix(lines.Text(), "child "); ok {
			child, _ = strconv.Atoi(pid)
		}
	}
	_ = parent.Process.Kill()
	_ = parent.Wait() // "signal: killed"
	if child == 0 {
		t.Fatal("the parent named no child")
	}
	Eventually(t, 5*time.Second, "end of the child", func() error { return alive(child) })
}

// alive is an error as long as a process runs; one that has ended and waits for its parent does not.
func alive(pid int) error {
	if syscall.Kill(pid, 0) != nil {
		return nil
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil || strings.Contains(string(stat), ") Z ") {
		return nil
	}
	return os.ErrExist
}
