package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/console"
)

// confirm announces the point of no return, and asks for the name of the
// transition unless the user has said yes already.
func (a *app) confirm(ctx context.Context, name, drops string, yes bool) error {
	if !yes && !console.IsTerminal(a.stdin) {
		return &usageError{cause: fmt.Errorf("contract %s, and there is no way back: "+
			"there is no terminal to ask on, so say --yes", drops)}
	}
	if !yes || a.output == outputText && !a.quiet {
		out := a.err()
		fmt.Fprintf(out, "%s this %s. There is no way back from there.\n", out.Style().Warn("point of no return:"), drops)
	}
	if yes {
		return nil
	}
	return a.ask(ctx, name)
}

// ask wants the name typed: a yes is typed too easily.
func (a *app) ask(ctx context.Context, name string) error {
	fmt.Fprintf(a.stderr, "Type the name of the transition to go on: ")
	answer, err := interruptible(ctx, func() (string, error) { return bufio.NewReader(a.stdin).ReadString('\n') })
	if strings.TrimSpace(answer) == name {
		return nil
	}
	if err != nil && answer == "" {
		fmt.Fprintln(a.stderr)
	}
	return errors.New("not confirmed, nothing was done")
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
