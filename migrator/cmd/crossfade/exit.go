package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes. Scripts depend on them: add, but never renumber.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitRefused     = 3
	exitWaiting     = 4
	exitMismatch    = 5
	exitBusy        = 6
	exitNotFound    = 7
	exitConnection  = 8
	exitInterrupted = 130 // 128 + SIGINT, as shells count
)

// exitCodes says what each code means: its name in JSON, and a sentence.
var exitCodes = []struct {
	code          int
	name, meaning string
}{
	{exitOK, "ok", "done"},
	{exitError, "error", "something else went wrong; the message says what"},
	{exitUsage, "usage", "the command line or the transition file is wrong; nothing was done"},
	{exitRefused, "refused", "preflight, the gate of a step or explain refuses; the findings say what to do"},
	{exitWaiting, "waiting", "a drain hangs, or a lock is not to be had; nothing is wrong: run it again, it continues"},
	{exitMismatch, "mismatch", "source and target differ in rows, or reads went back to the source because of what the target gave"},
	{exitBusy, "busy", "another migrator is at work in this database, or moved the transition meanwhile"},
	{exitNotFound, "not-found", "no such transition or file, or no ledger in this database (crossfade init)"},
	{exitConnection, "connection", "no connection to the database, or it was lost: run it again, it continues"},
	{exitInterrupted, "interrupted", "stopped by a signal, where it can be continued: run it again"},
}

func exitName(code int) string {
	for _, e := range exitCodes {
		if e.code == code {
			return e.name
		}
	}
	return "error"
}

// newExitCodes is a help topic, not a command: it cannot be run.
func newExitCodes() *cobra.Command {
	var b strings.Builder
	b.WriteString("What the exit codes mean, with their names in --output json:\n\n")
	for _, e := range exitCodes {
		fmt.Fprintf(&b, "  %3d  %-12s %s\n", e.code, e.name, e.meaning)
	}
	return &cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: strings.TrimSpace(b.String())}
}
