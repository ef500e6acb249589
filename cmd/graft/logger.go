package main

import (
	"io"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// newLogger writes to w: for people on a console, or as JSON for machines.
func newLogger(w io.Writer, level, format string) (*zap.Logger, error) {
	l, err := zapcore.ParseLevel(level)
	if err != nil || l > zapcore.ErrorLevel {
		return nil, usageError("debug, info, warn or error", "--log-level %q is not known", level)
	}
	config := zap.NewProductionEncoderConfig()
	config.EncodeTime = zapcore.ISO8601TimeEncoder
	config.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(config)
	if format == "console" {
		config.EncodeTime = zapcore.TimeEncoderOfLayout(consoleTime)
		config.EncodeLevel = zapcore.CapitalLevelEncoder
		config.ConsoleSeparator = "  "
		encoder = console{zapcore.NewConsoleEncoder(config)}
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), l)), nil
}

const consoleTime = "15:04:05.000"

// console writes problems as the commands do: where and what in one line, the hint on the next.
type console struct{ zapcore.Encoder }

// Clone implements zapcore.Encoder.
func (c console) Clone() zapcore.Encoder { return console{c.Encoder.Clone()} }

// EncodeEntry implements zapcore.Encoder.
func (c console) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	said := map[string]string{}
	var others []zapcore.Field
	for _, field := range fields {
		if field.Type == zapcore.StringType && (field.Key == "at" || field.Key == "what" || field.Key == "hint" || field.Key == "code") {
			said[field.Key] = field.String
		} else {
			others = append(others, field)
		}
	}
	if said["what"] == "" {
		return c.Encoder.EncodeEntry(entry, fields)
	}
	for _, part := range []string{said["at"], said["what"]} {
		if part != "" {
			entry.Message += ": " + part
		}
	}
	if said["hint"] != "" {
		entry.Message += "\n" + strings.Repeat(" ", len(consoleTime)+len("  WARN  ")) + said["hint"]
	}
	return c.Encoder.EncodeEntry(entry, others)
}
