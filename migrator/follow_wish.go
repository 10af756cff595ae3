package migrator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// wish is what a follower knows of one transition.
type wish struct {
	// work is the transition as it was at the last look.
	work    *work
	request ledger.Request
	// direction is where the next step leads; stay when there is none to do now.
	direction direction
	// candidate is the stage that the flag says, and does not ask for yet; since
	// says since when.
	candidate string
	since     time.Time
	// failed is why the last step towards the request did not succeed, not to be
	// tried again before retry.
	failed  hold
	towards Phase
	retry   time.Time
	backoff time.Duration
	tried   time.Time
	// held is what it waits for since heldSince; noted tells that the history
	// knows.
	// window is what its reads were lately.
	window    readsWindow
	held      hold
	heldSince time.Time
	noted     bool
	told      RequestEvent
}

// before tells whether it is the turn of w rather than that of other: a way back
// first, then who has waited longest.
func (w *wish) before(other *wish) bool {
	switch {
	case w.direction == stay:
		return false
	case other == nil:
		return true
	case (w.direction == backward) != (other.direction == backward):
		return w.direction == backward
	}
	return w.tried.Before(other.tried)
}

// outcome takes that of a step. Gates are looked at again at each poll; what a
// step has failed of is tried again with growing patience.
func (w *wish) outcome(err error, poll time.Duration) {
	w.failed, w.towards, w.retry = hold{}, w.request.Phase, time.Now().Add(poll)
	if err == nil {
		w.backoff = 0
		return
	}
	var gate *GateError
	var drain *DrainError
	switch {
	case errors.Is(err, ErrAnotherMigrator):
		w.failed = hold{holdBusy, err.Error()}
	case errors.As(err, &drain):
		w.failed = hold{holdDrain, err.Error()}
	case errors.As(err, &gate) && gate.Gate != "":
		w.failed = hold{gate.Gate, fmt.Sprintf("gate of step %s: %s (hint: %s)", gate.Step, gate.Why, gate.Hint)}
	default:
		w.failed = hold{holdError, err.Error()}
		w.backoff = min(max(2*w.backoff, followAgain), followPatience)
		w.retry = time.Now().Add(w.backoff)
	}
}

// consider asks the flag of a transition, writes down what it asks for once that
// has settled, and tells where the next step leads. It returns when to look again.
func (f *follower) consider(ctx context.Context, w *wish) (again time.Duration, err error) {
	w.direction = stay
	stored, found, err := ledger.GetRequest(ctx, w.work.conn, w.work.t.ID)
	if err != nil {
		return 0, err
	}
	w.request = stored
	answer, to, held := Answer{}, stored, hold{}
	key := ""
	if f.o.Source != nil {
		key = FlagKey(w.work.t.Name)
		answer, err = f.evaluate(ctx, key)
		to, held = interpret(key, answer, err)
		to = to.After(stored)
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
	} else if !found || stored.Phase == "" {
		return f.o.Poll, nil // nobody asks
	}
	again = f.o.Poll
	if held == (hold{}) {
		var left time.Duration
		if left, held = f.settling(w, to.Stage()); left > 0 {
			again = min(again, left)
		}
	} else {
		w.candidate = "" // what comes after it has to settle anew
	}
	if held == (hold{}) && f.o.Source != nil {
		if err := f.ask(ctx, w, to); err != nil {
			return 0, err
		}
	}
	granted := w.request.GrantedAt != nil
	if held == (hold{}) {
		if granted, held, err = f.lead(ctx, w, granted); err != nil {
			return 0, err
		}
	}
	if err := f.note(ctx, w, held); err != nil {
		return 0, err
	}
	f.tell(w, RequestEvent{
		Transition: w.work.t.Name, Key: key, Value: answer.Value, Variant: answer.Variant, Reason: answer.Reason, Provider: answer.Provider,
		Requested: w.request.Phase, Ramp: w.request.Ramp, Effective: w.work.t.Phase, Granted: granted, HeldBy: held.by, Held: held.why,
	})
	return again, nil
}

func (f *follower) evaluate(ctx context.Context, key string) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, evaluationTimeout)
	defer cancel()
	a, err := f.o.Source.Variant(ctx, key)
	if a.Variant == "" {
		a.Variant = a.Value
	}
	return a, err
}

// settling holds a change until it has lasted for a while, so that a flag that
// flaps moves nothing to and fro. What was asked for before counts at once.
func (f *follower) settling(w *wish, to string) (left time.Duration, held hold) {
	switch {
	case f.o.Source == nil && w.request.GrantedAt == nil:
		left = f.o.Settle - w.request.Age
	case to == w.request.Stage():
		w.candidate = ""
	case to != w.candidate:
		w.candidate, w.since = to, time.Now()
		left = f.o.Settle
	default:
		left = f.o.Settle - time.Since(w.since)
	}
	if left > 0 {
		held = hold{holdSettling, fmt.Sprintf("%s is asked for, and counts when that has lasted for %s", to, f.o.Settle)}
	}
	return left, held
}

// ask writes down what the flag asks for, if that is new.
func (f *follower) ask(ctx context.Context, w *wish, r ledger.Request) error {
	if w.request.Same(r) {
		return nil
	}
	stored, err := w.work.request(ctx, r)
	if err != nil {
		return err
	}
	w.request, w.candidate = stored, ""
	w.work.Logger.LogAttrs(ctx, slog.LevelInfo, "phase requested", slog.String(keyTransition, w.work.t.Name),
		slog.String(keyFlag, r.Flag), slog.String(keyFrom, string(w.work.t.Phase)), slog.String(keyTo, r.Stage()), slog.String(keyReason, r.Reason))
	return nil
}

// lead tells where a settled request leads, and writes down that it is granted when
// it leads nowhere any more.
func (f *follower) lead(ctx context.Context, w *wish, granted bool) (bool, hold, error) {
	d, held, err := w.work.toward(w.request)
	if err != nil || held != (hold{}) {
		return granted, held, err
	}
	wait, held, err := w.work.grantRamp(ctx, &w.request)
	if err != nil || wait {
		return granted, held, err
	}
	if d == stay {
		if granted {
			return true, held, nil
		}
		event := w.work.event("granted", w.request.Stage())
		return true, held, ledger.GrantRequest(ctx, w.work.conn, *w.work.t, w.request, event)
	}
	if w.towards != w.request.Phase { // what failed was on another way
		w.failed, w.retry, w.backoff = hold{}, time.Time{}, 0
	}
	if w.failed == (hold{}) || !time.Now().Before(w.retry) {
		w.direction = d
	}
	return granted, w.failed, nil
}

// passing holds are no matter for the history.
func (h hold) passing() bool { return h.by == "" || h.by == holdSettling || h.by == holdBusy }

// note writes down what the request waits for, for the status at once, for the
// history when it lasts: a source that flaps would fill it.
func (f *follower) note(ctx context.Context, w *wish, held hold) error {
	if held.by != w.held.by {
		w.heldSince, w.noted = time.Now(), false
	}
	w.held = held
	var event *ledger.Event
	if !held.passing() && !w.noted && time.Since(w.heldSince) >= f.o.Settle {
		e := w.work.event("held", held.by+": "+held.why)
		event, w.noted = &e, true
		w.work.Logger.LogAttrs(ctx, slog.LevelWarn, "a request is held", slog.String(keyTransition, w.work.t.Name),
			slog.String(keyHeldBy, held.by), slog.String(keyReason, held.why))
	}
	if event == nil && w.request.HeldBy == held.by && w.request.Held == held.why {
		return nil
	}
	w.request.HeldBy, w.request.Held = held.by, held.why
	return ledger.HoldRequest(ctx, w.work.conn, *w.work.t, w.work.Actor, held.by, held.why, event)
}

// tell tells the observer what has changed.
func (f *follower) tell(w *wish, e RequestEvent) {
	if !reflect.DeepEqual(e, w.told) {
		w.told = e
		w.work.observe(e)
	}
}
