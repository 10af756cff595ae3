package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestEveryCommandIsDocumented(t *testing.T) {
	t.Parallel()
	root := newRoot(&app{})
	for _, cmd := range append(root.Commands(), root) {
		if cmd.Name() == "exit-codes" {
			continue
		}
		if cmd.Long == "" || cmd.Example == "" || cmd.Short == "" {
			t.Errorf("%s has no Long text, no Example or no Short text", cmd.CommandPath())
		}
		for line := range strings.Lines(cmd.Long) {
			if len(line) > 90 {
				t.Errorf("%s: a line of %d columns: %s", cmd.CommandPath(), len(line), line)
			}
		}
		if needsArgument(cmd) && cmd.Args(cmd, nil) == nil {
			t.Errorf("%s takes no argument for one", cmd.CommandPath())
		}
	}
}

func needsArgument(cmd *cobra.Command) bool {
	_, argument, _ := strings.Cut(cmd.Use, " ")
	return argument != "" && !strings.HasPrefix(argument, "[")
}

func TestExitCodesAreDocumented(t *testing.T) {
	t.Parallel()
	o := bare(t, "help", "exit-codes")
	for _, code := range []int{
		exitOK, exitError, exitUsage, exitRefused, exitWaiting, exitMismatch, exitBusy, exitNotFound, exitConnection, exitInterrupted,
	} {
		contains(t, o.stdout, fmt.Sprintf("%d  %s", code, exitName(code)))
	}
}

func TestSchemaAndVersion(t *testing.T) {
	t.Parallel()
	if o := bare(t, "schema"); o.code != exitOK || !json.Valid([]byte(o.stdout)) {
		t.Errorf("schema: %+v", o)
	}
	contains(t, bare(t, "version").stdout, "crossfade ", "ledger version ")
	contains(t, bare(t, "completion", "bash").stdout, "__start_crossfade")
	contains(t, bare(t, "__complete", "run", "x", "--until", "").stdout, "dualwrite")
}

func TestConfirmation(t *testing.T) {
	t.Parallel()
	for answer, confirmed := range map[string]bool{"users-name\n": true, "yes\n": false, "": false, " users-name": true} {
		var stderr bytes.Buffer
		a := &app{stdin: strings.NewReader(answer), stderr: &stderr}
		if err := a.ask(t.Context(), "users-name"); (err == nil) != confirmed {
			t.Errorf("answer %q: %v", answer, err)
		}
		contains(t, stderr.String(), "Type the name")
	}
}

func TestInterruptedQuestion(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	stdin, theirs := io.Pipe()
	defer theirs.Close() // ends the read that is left behind
	a := &app{stdin: stdin, stderr: io.Discard}
	if err := a.ask(ctx, "users-name"); err == nil {
		t.Error("confirmed by an interrupt")
	}
}
