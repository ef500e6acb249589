package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
)

// RoleVariable names the environment variable that tells a copy of this program which process it is.
const RoleVariable = "GRAFT_BENCH_ROLE"

// Child is a copy of this program in a role of its own.
type Child struct {
	Role string

	command *exec.Cmd
	stdin   io.WriteCloser
	mu      sync.Mutex // one request at a time
	out     *json.Encoder
	in      *json.Decoder
}

// Start runs this program again in a role; what it says on standard error goes to log.
func Start(role string, log io.Writer) (*Child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	command := exec.Command(program)
	command.Env = append(os.Environ(), RoleVariable+"="+role)
	command.Stderr = log
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	return &Child{
		Role: role, command: command, stdin: stdin,
		out: json.NewEncoder(stdin), in: json.NewDecoder(stdout),
	}, nil
}

// Call asks a child to do something and waits for the result. A context that ends kills the child: a process that does not
// answer has nothing left to measure.
func Call[R any](ctx context.Context, c *Child, verb string, args any) (R, error) {
	var result R
	defer context.AfterFunc(ctx, func() { _ = c.command.Process.Kill() })()
	got, err := c.exchange(verb, args)
	if err != nil {
		return result, fmt.Errorf("%s: %s: %w", c.Role, verb, errors.Join(ctx.Err(), err))
	}
	if err := json.Unmarshal(got, &result); err != nil {
		return result, fmt.Errorf("%s: %s: result: %w", c.Role, verb, err)
	}
	return result, nil
}

func (c *Child) exchange(verb string, args any) (json.RawMessage, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	raw, err := json.Marshal(args)
	if err != nil {
		return nil, err
	}
	if err := c.out.Encode(request{Verb: verb, Args: raw}); err != nil {
		return nil, err
	}
	var got reply
	if err := c.in.Decode(&got); err != nil {
		return nil, err
	}
	if got.Error != "" {
		return nil, errors.New(got.Error)
	}
	return got.Result, nil
}

// Kill ends the child at once, as a crash would, and waits for its end.
func (c *Child) Kill() {
	_ = c.command.Process.Kill()
	_ = c.command.Wait()
}

// Close tells the child to end by ending its input, and waits for it.
func (c *Child) Close() error {
	if err := c.stdin.Close(); err != nil {
		return fmt.Errorf("%s: %w", c.Role, err)
	}
	if err := c.command.Wait(); err != nil {
		return fmt.Errorf("%s: %w", c.Role, err)
	}
	return nil
}
