package migrator

import (
	"fmt"
	"time"
)

// Drain is a wait for those who act by an older phase.
type Drain struct {
	Transition string `json:"transition"`
	// From is the phase being left; empty for the first drain, which waits for
	// all who do not know the transition yet. It is To where the step sync-barrier
	// waits for those without the hook.
	From Phase `json:"from,omitempty"`
	// To is the phase being entered; empty for the removal of a transition.
	To    Phase `json:"to,omitempty"`
	Epoch int   `json:"epoch"`
	// Elapsed is how long this call has been waiting.
	Elapsed time.Duration `json:"elapsed_ns"`
	// Waiting are the sessions and prepared transactions that it waits for.
	Waiting []Session `json:"waiting"`
	// Fenced are idle sessions of the old phase that it does not wait for any
	// more, as Config.Laggards says.
	Fenced []Session `json:"fenced,omitempty"`
}

// Name says which drain it is: "first drain", "flip shadow -> live".
func (d Drain) Name() string {
	switch {
	case d.From == "":
		return "first drain"
	case d.To == "":
		return "removal"
	case d.From == d.To:
		return "barrier behind the sessions without the hook"
	case d.To == Named:
		return fmt.Sprintf("held flip %s -> %s", d.From, d.To)
	}
	return fmt.Sprintf("flip %s -> %s", d.From, d.To)
}

// Hint says what an operator can do about those it waits for.
func (d Drain) Hint() string {
	var unhooked, inTx, prepared, idle, behind bool
	for _, s := range d.Waiting {
		switch {
		case s.Behind != "":
			behind = true
		case s.PID == 0:
			prepared = true
		case !s.Hooked():
			unhooked = true
		case s.InTx:
			inTx = true
		default:
			idle = true
		}
	}
	var hints string
	add := func(when bool, hint string) {
		if when && hints != "" {
			hints += "; "
		}
		if when {
			hints += hint
		}
	}
	add(prepared, "commit or roll back the prepared transactions")
	add(inTx, "let the open transactions end, or end their sessions with pg_terminate_backend(pid)")
	add(unhooked, "close the sessions without the hook, or list their application_name under ignore_applications if they never touch the column")
	add(behind, "let the standby catch up, or leave it out of --standby")
	add(idle, "restart or close the idle connections that keep an older epoch")
	if hints == "" {
		return "nobody is left to wait for"
	}
	return hints
}
