package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// app is one run of the command: its streams and the flags that every command
// has.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	databaseURL             string
	standbys                []string
	output                  outputFormat
	noColor, quiet, verbose bool
	tuning                  migrator.Config

	// ran is true as soon as a command runs, its flags being right.
	ran bool
}

// outputFormat is the value of --output.
type outputFormat string

const (
	outputText outputFormat = "text"
	outputJSON outputFormat = "json"
)

func (o *outputFormat) String() string { return string(*o) }
func (o *outputFormat) Type() string   { return "text|json" }
func (o *outputFormat) Set(value string) error {
	switch outputFormat(value) {
	case outputText, outputJSON:
		*o = outputFormat(value)
		return nil
	}
	return fmt.Errorf("it is text or json")
}

// out is stdout for people, err stderr.
func (a *app) out() *console.Output { return a.on(a.stdout) }
func (a *app) err() *console.Output { return a.on(a.stderr) }

func (a *app) on(w io.Writer) *console.Output {
	return console.NewOutput(w, console.Options{NoColor: a.noColor})
}

// result prints what a command found out: one JSON document, or text.
func (a *app) result(document any, text func(*console.Output) error) error {
	if a.output != outputJSON {
		return text(a.out())
	}
	encoder := json.NewEncoder(a.stdout)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // SQL is full of < and >
	return encoder.Encode(document)
}

// printFailure says on stderr what went wrong and what to do about it.
func (a *app) printFailure(f failure) {
	if a.output == outputJSON {
		encoder := json.NewEncoder(a.stderr)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(struct {
			Event string `json:"event"`
			failure
		}{"error", f})
		return
	}
	out := a.err()
	fmt.Fprintf(out, "%s %s\n", out.Style().Bad("crossfade:"), f.Message)
	if f.Hint != "" {
		fmt.Fprintf(out, "%s %s\n", out.Style().Warn("hint:"), f.Hint)
	}
}
