// Command crossfade moves a PostgreSQL column to a new home while the
// application keeps running. It parses flags and calls package migrator; what
// it prints is made here.
//
// Results go to stdout, progress and errors to stderr. Package console draws
// the progress; `crossfade help exit-codes` lists the exit codes.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the work ends between two batches. The second one
	// has its default effect again, for those who cannot wait.
	context.AfterFunc(ctx, stop)
	os.Exit(Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Main runs the command with its arguments and returns its exit code. When ctx
// ends, the work stops where it can be continued.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if !a.ran {
		// What fails before a command runs is about its flags and arguments.
		err = &usageError{cause: err, command: cmd.CommandPath()}
	}
	f := describe(ctx, err)
	a.printFailure(f)
	return f.Code
}
