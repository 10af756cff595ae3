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

	"github.com/pgcrossfade/crossfade/migrator"
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
	for _, c := range []struct {
		answers, flag string
		confirmed     bool
		snapshot      string
	}{
		{"base backup\nusers-name\n", "", true, "base backup"},
		{"none\nusers-name", "", true, migrator.NoSnapshot},
		{"users-name\n", "rds:shop", true, "rds:shop"},
		{" users-name", "rds:shop", true, "rds:shop"},
		{"yes\n", "rds:shop", false, "rds:shop"},
		{"", "rds:shop", false, "rds:shop"},
		{"\nusers-name\n", "", false, ""},
		{"base backup\n", "", false, "base backup"},
		{"", "", false, ""},
	} {
		var stderr bytes.Buffer
		a := &app{stdin: strings.NewReader(c.answers), stderr: &stderr}
		said := consent{snapshot: c.flag}
		if err := a.question(t.Context(), "users-name", &said); (err == nil) != c.confirmed || said.answer() != c.snapshot {
			t.Errorf("answers %q: %v, snapshot %q", c.answers, err, said.answer())
		}
		if c.flag == "" {
			contains(t, stderr.String(), "Which backup or snapshot")
		}
	}
}

func TestInterruptedQuestion(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	stdin, theirs := io.Pipe()
	defer theirs.Close() // ends the read that is left behind
	a := &app{stdin: stdin, stderr: io.Discard}
	if err := a.question(ctx, "users-name", &consent{}); err == nil {
		t.Error("confirmed by an interrupt")
	}
}
