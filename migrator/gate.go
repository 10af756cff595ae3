package migrator

import (
	"context"
	"errors"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// edge is a flip in one direction.
type edge struct{ from, to Phase }

// gate is what must hold before the token of a phase is created.
type gate struct {
	name string
	// check returns a *GateError when it does not hold.
	check func(context.Context, *work) error
	// forcible: no row is wrong or lost without it, so that an operator may
	// decide (Force). All others stand between a row and its loss.
	forcible bool
	// tries: to look is to wait, to take locks and roll back, or to ask standbys, so
	// status leaves it to the flip.
	tries bool
}

// The steps before a flip see to what its gates ask for; a gate looks whether it
// is still so, since hours may lie between. Edges without a gate need nothing but
// the drain before.
var gates = map[edge][]gate{
	{Off, DualWrite}:    {targetOptional, standbysCurrent},
	{DualWrite, Shadow}: {{name: "backfilled", check: backfillIsDone}, standbysCurrent},
	{Shadow, Live}: {
		{name: "sync-trigger", check: triggerIsThere},
		{name: "sync-barrier", check: barrierIsBehind},
		{name: "verified", check: verifiedEqual},
		{name: "equality-enforced", check: equalityIsEnforced},
		{name: "target-constrained", check: targetIsConstrained},
		{name: "target-indexed", check: targetIsIndexed},
		{name: "key-indexed", check: keyIsIndexed},
		{name: "foreign-keys", check: foreignKeysStand},
		{name: "dependents-carried", check: dependentsAreCarried, tries: true},
		{name: "plan-regression", check: plansAreAsGood, forcible: true},
		{name: "reads-agree", check: readsAgree, forcible: true},
		standbysCurrent,
	},
	{Live, RampDown}: {{name: "ramp-full", check: rampIsFull}, standbysCurrent},
	{RampDown, Complete}: {
		{name: "sync-trigger", check: triggerLetsGo},
		{name: "key-on-target", check: keyIsOnTarget},
		{name: "source-optional", check: unlessSynced(sourceIsOptional)},
		{name: "source-not-unique", check: unlessSynced(sourceIsNotUnique)},
		partitionsAlike,
		{name: "dependents-released", check: dependentsAreReleased},
		{name: equalityReleased.name, check: unlessSynced(equalityReleased.check)},
		{name: standbyReaders.name, check: unlessSynced(readersKnow), forcible: true, tries: true},
		standbysCurrent,
	},
	{Complete, Contracted}: {
		{name: "sync-quiet", check: tailedAreGone},
		{name: "nothing-new-on-source", check: nothingNewOnSource},
		partitionsAlike,
		{name: "source-droppable", check: sourceCanBeDropped, tries: true},
		standbyReaders,
		standbysCurrent,
	},
	{Contracted, Named}: {{name: "name-free", check: nameIsFree}, standbysCurrent},
	// Writes of phase off leave the target out.
	{DualWrite, Off}: {{name: targetOptional.name, check: leftoverIsOptional}, equalityReleased},
}

// Gates of several edges. A way back does not wait for standbys: whoever is in
// trouble should not be in more of it.
var (
	targetOptional   = gate{name: "target-optional", check: targetIsOptional}
	equalityReleased = gate{name: "equality-released", check: equalityIsNotEnforced}
	partitionsAlike  = gate{name: "partitions-alike", check: partitionsAreAlike}
	standbysCurrent  = gate{name: "replica-lag", check: standbysHaveReplayed, forcible: true, tries: true}
	standbyReaders   = gate{name: "standby-readers", check: readersKnow, forcible: true, tries: true}
)

// gate looks whether all gates of a flip hold, and returns those that did not
// but were forced.
func (w *work) gate(ctx context.Context, from, to Phase) (forced []Forced, err error) {
	for _, g := range gates[edge{from, to}] {
		err := g.check(ctx, w)
		var closed *GateError
		switch {
		case err == nil:
		case !errors.As(err, &closed):
			return nil, err
		case w.force.names(g):
			forced = append(forced, Forced{Gate: g.name, Why: closed.Why, Reason: w.force.Reason})
		default:
			closed.Gate, closed.Forcible = g.name, g.forcible
			return nil, err
		}
	}
	return forced, nil
}

// closed is the error of a gate that does not hold.
func (w *work) closed(hint, why string, args ...any) error {
	return &GateError{Transition: w.t.Name, Step: w.step.name, Why: fmt.Sprintf(why, args...), Hint: hint}
}

// targetIsOptional: the targets are there, writes may leave them out, and then they
// are NULL.
func targetIsOptional(ctx context.Context, w *work) error {
	for _, target := range w.t.Definition.Targets {
		c, err := ddl.ReadColumn(ctx, w.conn, w.table(), target.Name)
		switch {
		case err != nil:
			return err
		case !c.Exists:
			return w.closed("roll back to off, and run again", "column %q does not exist any more", target.Name)
		case c.Type != target.Type:
			return w.closed("roll back to off, and run again", "column %q is of type %s, not %s", target.Name, c.Type, target.Type)
		}
	}
	return leftoverIsOptional(ctx, w)
}

// leftoverIsOptional: writes may leave the targets out, as far as they are there. On
// the way back one that somebody has dropped, or altered, is in nobody's way.
func leftoverIsOptional(ctx context.Context, w *work) error {
	for _, target := range w.t.Definition.Targets {
		c, err := ddl.ReadColumn(ctx, w.conn, w.table(), target.Name)
		switch {
		case err != nil:
			return err
		case c.NotNull:
			return w.closed("somebody has set it: ALTER COLUMN ... DROP NOT NULL", "column %q is NOT NULL", target.Name)
		case c.Default != "":
			return w.closed("somebody has set it: ALTER COLUMN ... DROP DEFAULT", "column %q has a DEFAULT", target.Name)
		}
	}
	return nil
}

func backfillIsDone(ctx context.Context, w *work) error {
	p, _, err := ledger.GetProgress(ctx, w.conn, w.t.ID, ledger.Backfill)
	if err == nil && !p.Finished() {
		err = w.closed("roll back to off, and run again", "the backfill has not finished")
	}
	return err
}

func verifiedEqual(ctx context.Context, w *work) error {
	p, _, err := ledger.GetProgress(ctx, w.conn, w.t.ID, ledger.Verify)
	switch {
	case err != nil:
		return err
	case !p.Finished() || p.Epoch < w.t.RegisteredEpoch:
		return w.closed("verify it again", "the last verification has not finished")
	case p.FailedOver:
		return w.closed("verify it again", "the last verification was made before a failover")
	case p.Mismatches > 0:
		return w.closed("find out who writes one column only; then put the rows right: crossfade repair "+w.t.Name,
			"the last verification found %d rows that differ", p.Mismatches)
	}
	return nil
}

// equalityIsEnforced: since the verification no write can have made a row
// inconsistent.
func equalityIsEnforced(ctx context.Context, w *work) error {
	name := equalCheck(*w.t)
	check, err := ddl.ReadConstraint(ctx, w.conn, w.table(), name)
	if err == nil && !check.Validated {
		err = w.closed("roll back to off, and run again",
			"the constraint %q, which holds %s consistent, is gone or not valid", name, w.t.Definition.Move)
	}
	return err
}

// equalityIsNotEnforced: writes may leave one side out.
func equalityIsNotEnforced(ctx context.Context, w *work) error {
	name := equalCheck(*w.t)
	exists, err := w.hasConstraint(ctx, name)
	if err == nil && exists {
		err = w.closed("drop it, and run again", "the constraint %q is there again", name)
	}
	return err
}

func targetIsConstrained(ctx context.Context, w *work) error {
	for _, target := range w.t.Definition.Targets {
		c, err := ddl.ReadColumn(ctx, w.conn, w.table(), target.Name)
		if err == nil && target.NotNull && !c.NotNull {
			err = w.closed("roll back to off, and run again", "column %q is not NOT NULL as it should be", target.Name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func targetIsIndexed(ctx context.Context, w *work) error {
	for _, index := range w.t.Definition.Indexes {
		constrained, err := w.hasConstraint(ctx, index.TargetConstraint)
		if err != nil {
			return err
		}
		if constrained {
			continue
		}
		state, err := ddl.ReadIndex(ctx, w.conn, w.table(), index.Target)
		if err != nil {
			return err
		}
		if state != ddl.IndexValid || index.TargetConstraint != "" {
			return w.closed("roll back to off, and run again",
				"index %q, the counterpart of %q, is %s", index.Target, index.Name, state)
		}
	}
	return nil
}

// sourceIsOptional: writes may leave the sources out.
func sourceIsOptional(ctx context.Context, w *work) error {
	for _, source := range w.t.Definition.SourceNames() {
		c, err := ddl.ReadColumn(ctx, w.conn, w.table(), source)
		if err == nil && (c.NotNull || c.Default != "") {
			err = w.closed("somebody has set it: ALTER COLUMN ... DROP NOT NULL, DROP DEFAULT",
				"column %q has a NOT NULL or a DEFAULT again", source)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
