package control

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func verbs() map[string]Verb {
	return map[string]Verb{
		"double": Typed(func(_ context.Context, n int) (int, error) { return 2 * n, nil }),
		"fail":   Typed(func(context.Context, struct{}) (int, error) { return 0, errors.New("it broke") }),
	}
}

// TestMain is also the child of TestChild.
func TestMain(m *testing.M) {
	if os.Getenv(RoleVariable) == "doubler" {
		if err := Serve(context.Background(), os.Stdin, os.Stdout, verbs()); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestServe(t *testing.T) {
	in := strings.NewReader(`{"Verb":"double","Args":21}
{"Verb":"fail","Args":{}}
{"Verb":"double","Args":"x"}
{"Verb":"fly","Args":{}}
`)
	var out bytes.Buffer
	if err := Serve(t.Context(), in, &out, verbs()); err != nil {
		t.Fatal(err)
	}
	want := `{"Result":42}
{"Error":"it broke","Result":null}
{"Error":"arguments: json: cannot unmarshal string into Go value of type int","Result":null}
{"Error":"no verb \"fly\"","Result":null}
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestServeEndsOnGarbage(t *testing.T) {
	if err := Serve(t.Context(), strings.NewReader("{"), &bytes.Buffer{}, verbs()); err == nil {
		t.Error("half a request is no error")
	}
}

func TestChild(t *testing.T) {
	c, err := Start("doubler", t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Call[int](t.Context(), c, "double", 4); err != nil || got != 8 {
		t.Errorf("doubled 4 to %d, %v", got, err)
	}
	if _, err := Call[int](t.Context(), c, "fail", struct{}{}); err == nil || err.Error() != "doubler: fail: it broke" {
		t.Errorf("failed with %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Call[int](t.Context(), c, "double", 4); err == nil {
		t.Error("a closed child answers")
	}
}

func TestNowRises(t *testing.T) {
	if before, after := Now(), Now(); after < before || before == 0 {
		t.Errorf("the clock went from %d to %d", before, after)
	}
}
