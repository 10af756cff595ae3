package migrator

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// The flips in the order of a rollout. What must hold before each, in either
// direction, is a gate.
var (
	dualWriteStep  = flip(Off, DualWrite, "hooked writes keep both columns")
	shadowStep     = flip(DualWrite, Shadow, "a sample of reads is compared")
	liveStep       = flip(Shadow, Live, "reads go to the target")
	rampDownStep   = flip(Live, RampDown, "nothing is compared any more")
	completeStep   = flip(RampDown, Complete, "writes leave the source out")
	contractedStep = contractedFlip()
)

func flip(from, to Phase, summary string) step {
	return step{
		name: string(to), phase: to, flip: true, from: from, summary: summary,
		do:   func(ctx context.Context, w *work) error { return w.flip(ctx, from, to) },
		undo: func(ctx context.Context, w *work) error { return w.flip(ctx, to, from) },
		plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
			return []ddl.Statement{createToken(to), dropToken(from)}, []ddl.Statement{createToken(from), dropToken(to)}
		},
	}
}

// contractedFlip is the one flip without a way back once the phase has moved.
func contractedFlip() step {
	s := flip(Complete, Contracted, "give up the source: the point of no return")
	s.contract = true
	s.undo = func(_ context.Context, w *work) error {
		if w.t.Phase.SourceGone() {
			return ErrPointOfNoReturn
		}
		return nil
	}
	both := s.plan
	s.plan = func(t ledger.Transition) (do, undo []ddl.Statement) {
		do, _ = both(t)
		return do, nil
	}
	return s
}

// flip moves the phase from one neighbour to the other, and returns when
// nobody acts by the first any more. It continues whatever a crash has left:
// the previous move undrained, in either direction, or this one.
func (w *work) flip(ctx context.Context, from, to Phase) error {
	if err := w.drain(ctx); err != nil {
		return err
	}
	switch w.t.Phase {
	case to:
		return nil
	case from:
	default:
		return fmt.Errorf("flip %s -> %s of %q: it is in phase %s", from, to, w.t.Name, w.t.Phase)
	}
	forced, err := w.gate(ctx, from, to)
	if err != nil {
		return err
	}
	event := w.moved(from, to, forced)
	w.compared.agreed(&event)
	w.compared = nil
	err = w.transaction(fmt.Sprintf("move %s -> %s", from, to), func() error {
		return ledger.Move(ctx, w.conn, w.t, to, event)
	})
	if err != nil {
		return err
	}
	w.Logger.LogAttrs(ctx, slog.LevelInfo, "phase moved", slog.String(keyTransition, w.t.Name),
		slog.String(keyFrom, string(from)), slog.String(keyTo, string(to)), slog.Int(keyEpoch, w.t.Epoch))
	return w.drain(ctx)
}

// moved is the event of a flip.
func (w *work) moved(from, to Phase, forced []Forced) ledger.Event {
	event := w.event("move", fmt.Sprintf("%s -> %s", from, to))
	for _, f := range forced {
		event.Detail += fmt.Sprintf(", gate %s forced: %s", f.Gate, f.Reason)
		event.Evidence = map[string]any{"forced": forced}
		w.Logger.Warn("gate forced", keyTransition, w.t.Name, keyGate, f.Gate, keyReason, f.Why)
	}
	return event
}

// createToken and dropToken show the statements of a flip in a plan. The names
// of the tokens carry the id and the epoch, which are not known before.
func createToken(p Phase) ddl.Statement {
	return ddl.Statement{
		SQL: "create table " + tokenPattern(p) + " ()", Lock: ddl.AccessExclusive, On: tokenPattern(p),
		Why: fmt.Sprintf("statements of phase %s are allowed from now on", p),
	}
}

func dropToken(p Phase) ddl.Statement {
	return ddl.Statement{
		SQL: "drop table " + tokenPattern(p), Lock: ddl.AccessExclusive, On: tokenPattern(p), LockTimeout: dropLockTimeout,
		Why: fmt.Sprintf("no statement of phase %s is left, and none can come", p),
	}
}

func tokenPattern(p Phase) string {
	return pgx.Identifier{ledger.Schema}.Sanitize() + fmt.Sprintf(".t<id>_%s_<epoch>", p)
}
