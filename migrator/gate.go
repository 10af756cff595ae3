package migrator

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// edge is a flip in one direction.
type edge struct{ from, to Phase }

// gates say what must hold before the token of a phase is created. The steps
// before a flip see to it; the gate looks whether it is still so, since hours
// may lie between. Edges without a gate need nothing but the drain before.
var gates = map[edge][]func(context.Context, *work) error{
	{Off, DualWrite}:       {targetIsOptional},
	{DualWrite, Shadow}:    {backfillIsDone},
	{Shadow, Live}:         {verifiedEqual, equalityIsEnforced, targetIsConstrained, targetIsIndexed},
	{RampDown, Complete}:   {sourceIsOptional, sourceIsNotUnique, equalityIsNotEnforced},
	{Complete, Contracted}: {nothingNewOnSource, sourceCanBeDropped},
	// Writes of phase off leave the target out.
	{DualWrite, Off}: {targetIsOptional, equalityIsNotEnforced},
}

func (w *work) gate(ctx context.Context, from, to Phase) error {
	for _, gate := range gates[edge{from, to}] {
		if err := gate(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// closed is the error of a gate that does not hold.
func (w *work) closed(hint, why string, args ...any) error {
	return &GateError{Transition: w.t.Name, Step: w.step.name, Why: fmt.Sprintf(why, args...), Hint: hint}
}

// targetIsOptional: writes may leave the target out, and then it is NULL.
func targetIsOptional(ctx context.Context, w *work) error {
	c, err := ddl.ReadColumn(ctx, w.conn, w.table(), w.t.Target)
	switch {
	case err != nil:
		return err
	case !c.Exists:
		return w.closed("roll back to off, and run again", "column %q does not exist any more", w.t.Target)
	case c.Type != w.t.Definition.Type:
		return w.closed("roll back to off, and run again", "column %q is of type %s, not %s", w.t.Target, c.Type, w.t.Definition.Type)
	case c.NotNull:
		return w.closed("somebody has set it: ALTER COLUMN ... DROP NOT NULL", "column %q is NOT NULL", w.t.Target)
	case c.Default != "":
		return w.closed("somebody has set it: ALTER COLUMN ... DROP DEFAULT", "column %q has a DEFAULT", w.t.Target)
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
	case p.Mismatches > 0:
		return w.closed("find out who writes one column only; then put the rows right and verify again, or roll back to off and run again",
			"the last verification found %d rows that differ", p.Mismatches)
	}
	return nil
}

// equalityIsEnforced: since the verification no write can have made source and
// target differ.
func equalityIsEnforced(ctx context.Context, w *work) error {
	check, err := ddl.ReadConstraint(ctx, w.conn, w.table(), equalCheck)
	if err == nil && !check.Validated {
		err = w.closed("roll back to off, and run again",
			"the constraint %q, which holds %q and %q equal, is gone or not valid", equalCheck, w.t.Source, w.t.Target)
	}
	return err
}

// equalityIsNotEnforced: writes may leave one column out.
func equalityIsNotEnforced(ctx context.Context, w *work) error {
	exists, err := w.hasConstraint(ctx, equalCheck)
	if err == nil && exists {
		err = w.closed("drop it, and run again", "the constraint %q is there again", equalCheck)
	}
	return err
}

func targetIsConstrained(ctx context.Context, w *work) error {
	c, err := ddl.ReadColumn(ctx, w.conn, w.table(), w.t.Target)
	if err == nil && w.t.Definition.NotNull && !c.NotNull {
		err = w.closed("roll back to off, and run again", "column %q is not NOT NULL as %q is", w.t.Target, w.t.Source)
	}
	return err
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

// sourceIsOptional: writes may leave the source out.
func sourceIsOptional(ctx context.Context, w *work) error {
	c, err := ddl.ReadColumn(ctx, w.conn, w.table(), w.t.Source)
	if err == nil && (c.NotNull || c.Default != "") {
		err = w.closed("somebody has set it: ALTER COLUMN ... DROP NOT NULL, DROP DEFAULT",
			"column %q has a NOT NULL or a DEFAULT again", w.t.Source)
	}
	return err
}

// sourceIsNotUnique: no index refuses a row for what stands in the source.
func sourceIsNotUnique(ctx context.Context, w *work) error {
	rows, err := w.conn.Query(ctx, `
		select distinct x.indexrelid::regclass::text
		from pg_index x
		join pg_class c on c.oid = x.indrelid
		join pg_namespace n on n.oid = c.relnamespace
		join pg_attribute a on a.attrelid = c.oid
		join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.refobjsubid = a.attnum
		left join pg_constraint k on k.conindid = x.indexrelid and k.contype in ('u', 'x')
		where n.nspname = $1 and c.relname = $2 and a.attname = $3 and (x.indisunique or x.indisexclusion)
			and (d.classid = 'pg_class'::regclass and d.objid = x.indexrelid
				or d.classid = 'pg_constraint'::regclass and d.objid = k.oid)
		order by 1`, w.t.Schema, w.t.Table, w.t.Source)
	if err != nil {
		return fmt.Errorf("look for unique indexes on %q: %w", w.t.Source, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for unique indexes on %q: %w", w.t.Source, err)
	}
	if len(found) > 0 {
		return w.closed("make their counterparts on the target, and drop them",
			"these would refuse rows for what %q no longer says: %s", w.t.Source, strings.Join(found, ", "))
	}
	return nil
}

// nothingNewOnSource finds indexes and constraints that somebody made after
// the transition began: dropping the column would silently take them along.
func nothingNewOnSource(ctx context.Context, w *work) error {
	known := []string{}
	for _, index := range w.t.Definition.Indexes {
		known = append(known, index.Name, index.Constraint)
	}
	rows, err := w.conn.Query(ctx, `
		select pg_describe_object(d.classid, d.objid, d.objsubid)
		from pg_depend d
		join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
		join pg_class c on c.oid = d.refobjid
		join pg_namespace n on n.oid = c.relnamespace
		left join pg_class i on d.classid = 'pg_class'::regclass and i.oid = d.objid
		left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid
		where d.refclassid = 'pg_class'::regclass and n.nspname = $1 and c.relname = $2 and a.attname = $3
			and d.deptype in ('a', 'i') and coalesce(i.relname, k.conname) <> all ($4)
		order by 1`, w.t.Schema, w.t.Table, w.t.Source, known)
	if err != nil {
		return fmt.Errorf("look for what depends on %q: %w", w.t.Source, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for what depends on %q: %w", w.t.Source, err)
	}
	if len(found) > 0 {
		return w.closed("make their counterparts on the target, and drop them",
			"these came to %q after the transition began, and would be dropped with it: %s", w.t.Source, strings.Join(found, ", "))
	}
	return nil
}

// rehearsed is the SQLSTATE with which a rehearsal rolls itself back.
const rehearsed = "CF000"

// sourceCanBeDropped lets PostgreSQL itself say whether anything stands in the
// way of the drop, as long as there is a way back: it drops the column, and
// rolls that back.
func sourceCanBeDropped(ctx context.Context, w *work) error {
	exists, err := ddl.ColumnExists(ctx, w.conn, w.table(), w.t.Source)
	if err != nil {
		return err
	}
	if !exists {
		return w.closed("somebody has dropped it: nothing is left to contract by this program",
			"column %q does not exist any more", w.t.Source)
	}
	s := ddl.DropColumn(w.table(), w.t.Source)
	s.SQL += "; do $$ begin raise exception 'rehearsal' using errcode = '" + rehearsed + "'; end $$"
	switch err := w.run(ctx, s); sqlState(err) {
	case rehearsed:
		return nil
	case "2BP01": // dependent_objects_still_exist
		return w.closed("drop what depends on it, or make it depend on the target",
			"column %q cannot be dropped: %s", w.t.Source, dependents(err))
	default:
		return err
	}
}
