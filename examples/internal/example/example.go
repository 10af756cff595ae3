// Package example is what the examples have in common as commands: flags, signals,
// exit statuses, and the verdict of a report.
package example

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Exit statuses.
const (
	ExitDamage = 1 // the audit found something
	ExitUsage  = 2
	ExitFailed = 3 // it did not get to the end
)

// Options are the flags of an example.
type Options interface {
	// Define says which there are, and what they are when they are left out.
	Define(*flag.FlagSet)
	// Check says what is wrong with the values.
	Check() error
}

// Parse reads the arguments of a command line.
func Parse(name string, args []string, o Options) error {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	o.Define(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o.Check()
}

// DatabaseFlag is the flag of an existing server.
func DatabaseFlag(flags *flag.FlagSet, url *string) {
	flags.StringVar(url, "database-url", "", "an existing server to use; the example makes a database of its own on it")
}

// KeepFlag is the flag that keeps the database.
func KeepFlag(flags *flag.FlagSet, keep *bool) {
	flags.BoolVar(keep, "keep", false, "keep the database at the end; a server that was started runs until Ctrl-C")
}

// Main is the main function of an example: it reads the flags, runs it until it ends
// or is interrupted, and exits. run tells whether its audit has found damage, perhaps
// together with an error.
func Main(name string, o Options, run func(context.Context) (damage bool, err error)) {
	err := Parse(name, os.Args[1:], o)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(ExitUsage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	damage, err := run(ctx)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	}
	switch {
	case damage:
		os.Exit(ExitDamage)
	case err != nil:
		os.Exit(ExitFailed)
	}
}
