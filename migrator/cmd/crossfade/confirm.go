package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// consent is what the flags of a command say about the point of no return.
type consent struct {
	yes      bool
	snapshot string
	none     bool
}

func (c *consent) flags(cmd *cobra.Command, when string) {
	flags := cmd.Flags()
	flags.BoolVar(&c.yes, "yes", false, when+"do not ask; needs --snapshot or --no-snapshot")
	flags.StringVar(&c.snapshot, "snapshot", "", when+"the backup or snapshot from which the source can be restored:\n"+
		"an identifier or a note, which goes to the history")
	flags.BoolVar(&c.none, "no-snapshot", false, when+"there is none, and that is accepted")
}

// answer is the snapshot as the library takes it; empty when nothing was said.
func (c *consent) answer() string {
	if c.none {
		return migrator.NoSnapshot
	}
	return strings.TrimSpace(c.snapshot)
}

// confirm announces the point of no return, and asks for the snapshot and the name
// of the transition unless the flags have said it already. A yes is not enough:
// what has no snapshot should be a decision.
func (a *app) confirm(ctx context.Context, name, drops string, c *consent) error {
	switch {
	case c.none && c.snapshot != "":
		return &usageError{cause: errors.New("--snapshot and --no-snapshot contradict each other")}
	case c.yes && c.answer() == "":
		return &usageError{cause: fmt.Errorf("contract %s, and there is no way back: say from which backup it could be restored, "+
			"with --snapshot ID, or --no-snapshot; --yes does not say that", drops)}
	case !c.yes && !console.IsTerminal(a.stdin):
		return &usageError{cause: fmt.Errorf("contract %s, and there is no way back: "+
			"there is no terminal to ask on, so say --yes, and --snapshot ID or --no-snapshot", drops)}
	}
	if !c.yes || a.output == outputText && !a.quiet {
		out := a.err()
		fmt.Fprintf(out, "%s this %s. There is no way back from there.\n", out.Style().Warn("point of no return:"), drops)
	}
	if c.yes {
		return nil
	}
	return a.question(ctx, name, c)
}

// question asks for what the flags have not said.
func (a *app) question(ctx context.Context, name string, c *consent) error {
	answers := bufio.NewReader(a.stdin)
	if c.answer() == "" {
		said, err := a.ask(ctx, answers, "Which backup or snapshot has it (an identifier or a note; "+migrator.NoSnapshot+" to go on without one)? ")
		if err != nil {
			return err
		}
		if c.snapshot = said; said == "" {
			return errors.New("no answer, nothing was done")
		}
	}
	return a.typedFrom(ctx, answers, name, "Type the name of the transition to go on: ")
}

// typed wants a name typed: a yes is typed too easily.
func (a *app) typed(ctx context.Context, name, question string) error {
	return a.typedFrom(ctx, bufio.NewReader(a.stdin), name, question)
}

func (a *app) typedFrom(ctx context.Context, from *bufio.Reader, name, question string) error {
	answer, err := a.ask(ctx, from, question)
	if err == nil && answer != name {
		err = errors.New("not confirmed, nothing was done")
	}
	return err
}

// ask reads one line.
func (a *app) ask(ctx context.Context, from *bufio.Reader, question string) (string, error) {
	fmt.Fprint(a.stderr, question)
	answer, err := interruptible(ctx, func() (string, error) { return from.ReadString('\n') })
	if err != nil && answer == "" {
		fmt.Fprintln(a.stderr)
		if ctx.Err() == nil { // the input has ended
			err = errors.New("not confirmed, nothing was done")
		}
		return "", err
	}
	return strings.TrimSpace(answer), nil
}

// interruptible reads from stdin until a signal comes. A read of a terminal
// cannot be broken off: it is left behind, and ends with the program.
func interruptible[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	got := make(chan answer, 1)
	go func() {
		value, err := read()
		got <- answer{value, err}
	}()
	select {
	case a := <-got:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
