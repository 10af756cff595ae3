package migrator_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// envChild makes the test binary a migrator in a process of its own. Its value is
// a task.
const envChild = "CROSSFADE_CRASH_CHILD"

// task is what a child does.
type task struct {
	URL string
	// Scenario is the crashScenario of which the child goes the way, back or
	// forward, until it kills itself at a statement.
	Scenario string
	Back     bool
	At       int64
	// Logical: go to the end with rename, followed in the log; it is killed from
	// outside.
	Logical bool
	// Tail: follow the log for rename.
	Tail bool
	// Help: help with the scan of rename that is under way.
	Help bool
	// Ramp: set the ramp of rename to 20. Guard: guard its reads, and count from the
	// beginning of a step back.
	Ramp, Guard bool
}

// child does its task and exits.
func child() {
	var work task
	if err := json.Unmarshal([]byte(os.Getenv(envChild)), &work); err != nil {
		panic(err)
	}
	config, err := pgx.ParseConfig(work.URL)
	if err != nil {
		panic(err)
	}
	w := &wire{fault: fault{kind: killed, at: work.At}}
	if work.Guard {
		w.from = "begin"
	}
	config.DialFunc = w.dial
	m, err := migrator.New(config, crashConfig())
	switch {
	case err != nil:
	case work.Tail:
		err = m.Tail(ctx, rename.Name)
	case work.Ramp:
		_, err = m.Ramp(ctx, rename.Name, 20)
	case work.Guard:
		err = m.GuardReads(ctx, rename.Name, 5*time.Millisecond)
	case work.Help:
		_, err = m.Help(ctx, rename.Name)
	case work.Logical:
		if _, err = m.Start(ctx, withTail(rename)); err == nil || errors.Is(err, migrator.ErrActive) {
			_, err = m.Run(ctx, rename.Name, untilContracted)
		}
	default:
		err = toTheEnd(ctx, &pgtest.DB{URL: work.URL}, m, crashScenarioNamed(work.Scenario).transition, work.Back)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// spawn is a child that has not started.
func spawn(t *testing.T, work task) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	text, err := json.Marshal(work)
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), envChild+"="+string(text))
	return cmd
}

// die lets a child go its way until it kills itself, or has gone it to the end: no
// two runs send the same number of statements.
func die(t *testing.T, work task) {
	t.Helper()
	cmd := spawn(t, work)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	err := cmd.Run()
	require.Empty(t, errors.String())
	require.True(t, err == nil || !cmd.ProcessState.Exited(), "killed, not ended: %v", err)
}
