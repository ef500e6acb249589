package main

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/zap"
)

// TestConsole shows the log as people read it: a problem is where, what, and the hint on its own line.
func TestConsole(t *testing.T) {
	var out bytes.Buffer
	log, err := newLogger(&out, "info", "console")
	if err != nil {
		t.Fatal(err)
	}
	log.Info("graft serves", zap.String("xds", "127.0.0.1:18000"))
	log.Warn("problem", zap.String("at", "a.yaml:6:5: Filter default/melon: spec.wasm.modul"), zap.String("what", `unknown field "modul"`),
		zap.String("code", "unknown-field"), zap.String("hint", `did you mean "module"?`))
	log.With(zap.String("node", "a")).Warn("problem", zap.String("at", ""), zap.String("what", "something"), zap.String("code", "internal"), zap.Int("times", 2))
	log.Info("mended", zap.String("at", "a.yaml"), zap.String("what", "no such file"), zap.String("code", "x"))
	log.Debug("nobody asked")
	want := `TIME  INFO  graft serves  {"xds": "127.0.0.1:18000"}
TIME  WARN  problem: a.yaml:6:5: Filter default/melon: spec.wasm.modul: unknown field "modul"
                    did you mean "module"?
TIME  WARN  problem: something  {"node": "a", "times": 2}
TIME  INFO  mended: a.yaml: no such file
`
	if got := regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d\.\d{3}`).ReplaceAllString(out.String(), "TIME"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestJSONLog: machines get every field by its name.
func TestJSONLog(t *testing.T) {
	var out bytes.Buffer
	log, err := newLogger(&out, "warn", "json")
	if err != nil {
		t.Fatal(err)
	}
	log.Info("nobody asked")
	log.Warn("problem", zap.String("at", "a.yaml"), zap.String("what", "x"), zap.String("code", "c"), zap.String("hint", "y"))
	if got := out.String(); !strings.HasSuffix(got, `"msg":"problem","at":"a.yaml","what":"x","code":"c","hint":"y"}`+"\n") {
		t.Errorf("got %s", got)
	}
}

func TestLogLevels(t *testing.T) {
	for level, ok := range map[string]bool{"debug": true, "info": true, "warn": true, "error": true, "loud": false, "fatal": false, "": true} {
		_, err := newLogger(&bytes.Buffer{}, level, "console")
		var f *failure
		if ok != (err == nil) || err != nil && (!errors.As(err, &f) || f.code != exitUsage) {
			t.Errorf("level %q: %v", level, err)
		}
	}
}
