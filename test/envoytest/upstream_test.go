package envoytest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestUpstream(t *testing.T) {
	u := StartUpstream(t)
	for _, c := range []struct {
		name, path string
		check      func(t *testing.T, resp *http.Response, body []byte)
	}{
		{"echo", "/x?y=1", func(t *testing.T, resp *http.Response, body []byte) {
			var seen Seen
			if err := json.Unmarshal(body, &seen); err != nil {
				t.Fatal(err)
			}
			if seen.Method != "POST" || seen.Path != "/x?y=1" || seen.Body != "ping" || seen.Length != 4 || seen.Headers.Get("X-A") != "b" {
				t.Errorf("%+v", seen)
			}
		}},
		{"status and headers", "/?status=418&header=x-b:c", func(t *testing.T, resp *http.Response, body []byte) {
			if resp.StatusCode != 418 || resp.Header.Get("X-B") != "c" {
				t.Errorf("%d %v", resp.StatusCode, resp.Header)
			}
		}},
		{"big", "/?bytes=3000000", func(t *testing.T, resp *http.Response, body []byte) {
			if resp.ContentLength != 3000000 || string(body) != string(Filler(3000000)) {
				t.Errorf("content-length %d, %d bytes", resp.ContentLength, len(body))
			}
		}},
		{"streamed with trailers", "/?bytes=1001&chunks=7&every=1ms&trailer=x-sum:7", func(t *testing.T, resp *http.Response, body []byte) {
			if resp.ContentLength != -1 || string(body) != string(Filler(1001)) || resp.Trailer.Get("X-Sum") != "7" {
				t.Errorf("content-length %d, %d bytes, trailers %v", resp.ContentLength, len(body), resp.Trailer)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			protocols(t, func(t *testing.T, http2 bool) {
				conn, err := Dial(t.Context(), u.Address, http2)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+u.Address+c.path, strings.NewReader("ping"))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("X-A", "b")
				req.Header.Set(CaseHeader, t.Name())
				resp, err := conn.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				c.check(t, resp, body)
				if saw := u.Saw(t.Name()); len(saw) != 1 || saw[0].Body != "ping" {
					t.Errorf("recorded %+v", saw)
				}
			})
		})
	}
}

func TestUpstreamDelays(t *testing.T) {
	u := StartUpstream(t)
	start := time.Now()
	resp, err := http.Get("http://" + u.Address + "/?delay=50ms")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if took := time.Since(start); took < 50*time.Millisecond {
		t.Errorf("answered after %s", took)
	}
}
