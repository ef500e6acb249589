// Package control is how the driver of the benchmark speaks with the processes that it measures: one JSON object a line,
// requests on their standard input, replies on their standard output, one at a time. The end of the input ends the process,
// so none outlives its driver.
package control

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
)

type request struct {
	Verb string
	Args json.RawMessage
}

type reply struct {
	Error  string `json:",omitempty"`
	Result json.RawMessage
}

// Verb does one thing that a process can be asked to do.
type Verb func(ctx context.Context, args json.RawMessage) (any, error)

// Typed makes a Verb of a function with arguments and a result of its own.
func Typed[A, R any](do func(context.Context, A) (R, error)) Verb {
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		var args A
		if err := json.Unmarshal(raw, &args); err != nil {
			return nil, fmt.Errorf("arguments: %w", err)
		}
		return do(ctx, args)
	}
}

// Serve answers the requests on in until it ends, which is not an error. The context that verbs get ends with it.
func Serve(ctx context.Context, in io.Reader, out io.Writer, verbs map[string]Verb) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	requests, replies := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(out)
	for {
		var asked request
		if err := requests.Decode(&asked); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("read request: %w", err)
		}
		if err := replies.Encode(answer(ctx, verbs, asked)); err != nil {
			return fmt.Errorf("write reply: %w", err)
		}
	}
}

func answer(ctx context.Context, verbs map[string]Verb, asked request) reply {
	verb, ok := verbs[asked.Verb]
	if !ok {
		return reply{Error: fmt.Sprintf("no verb %q", asked.Verb)}
	}
	result, err := verb(ctx, asked.Args)
	if err != nil {
		return reply{Error: err.Error()}
	}
	raw, err := json.Marshal(result)
	if err != nil {
		return reply{Error: err.Error()}
	}
	return reply{Result: raw}
}
