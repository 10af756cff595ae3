package migrator

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
)

// sourceIsNotUnique: no index refuses a row for what stands in the sources.
func sourceIsNotUnique(ctx context.Context, w *work) error {
	sources := w.t.Definition.SourceNames()
	rows, err := w.conn.Query(ctx, `
		select distinct x.indexrelid::regclass::text
		from pg_index x
		join pg_class c on c.oid = x.indrelid
		join pg_namespace n on n.oid = c.relnamespace
		join pg_attribute a on a.attrelid = c.oid
		join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.refobjsubid = a.attnum
		left join pg_constraint k on k.conindid = x.indexrelid and k.contype in ('p', 'u', 'x')
		where n.nspname = $1 and c.relname = $2 and a.attname = any($3) and (x.indisunique or x.indisexclusion)
			and (d.classid = 'pg_class'::regclass and d.objid = x.indexrelid
				or d.classid = 'pg_constraint'::regclass and d.objid = k.oid)
		order by 1`, w.t.Schema, w.t.Table, sources)
	if err != nil {
		return fmt.Errorf("look for unique indexes on %s: %w", strings.Join(sources, ", "), err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for unique indexes on %s: %w", strings.Join(sources, ", "), err)
	}
	if len(found) > 0 {
		return w.closed("make their counterparts on the target, and drop them",
			"these would refuse rows for what %q no longer says: %s", strings.Join(sources, ", "), strings.Join(found, ", "))
	}
	return nil
}

// nothingNewOnSource finds indexes and constraints that somebody made after
// the transition began: dropping the column would silently take them along.
func nothingNewOnSource(ctx context.Context, w *work) error {
	known, sources := []string{}, w.t.Definition.SourceNames()
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
		where d.refclassid = 'pg_class'::regclass and n.nspname = $1 and c.relname = $2 and a.attname = any($3)
			and d.deptype in ('a', 'i') and coalesce(i.relname, k.conname, '') <> all ($4 || '{""}'::text[])
		order by 1`, w.t.Schema, w.t.Table, sources, known)
	if err != nil {
		return fmt.Errorf("look for what depends on %s: %w", strings.Join(sources, ", "), err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for what depends on %s: %w", strings.Join(sources, ", "), err)
	}
	if len(found) > 0 {
		return w.closed("make their counterparts on the target, and drop them",
			"these came to %q after the transition began, and would be dropped with it: %s", strings.Join(sources, ", "), strings.Join(found, ", "))
	}
	return nil
}

// rehearsed is the SQLSTATE with which a rehearsal rolls itself back.
const rehearsed = "CF000"

// rehearsal is what goes behind the statements of a rehearsal.
const rehearsal = "; do $$ begin raise exception 'rehearsal' using errcode = '" + rehearsed + "'; end $$"

// sourceCanBeDropped lets PostgreSQL itself say whether anything stands in the
// way of the drop, as long as there is a way back: it drops the columns, and
// rolls that back.
func sourceCanBeDropped(ctx context.Context, w *work) error {
	var s ddl.Statement
	var drops []string
	for _, source := range w.t.Definition.SourceNames() {
		exists, err := ddl.ColumnExists(ctx, w.conn, w.table(), source)
		if err != nil {
			return err
		}
		if !exists {
			return w.closed("somebody has dropped it: nothing is left to contract by this program",
				"column %q does not exist any more", source)
		}
		s = ddl.DropColumn(w.table(), source)
		drops = append(drops, s.SQL)
	}
	if d := w.t.Definition; d.KeepName {
		drops = append(drops, ddl.RenameColumn(w.table(), d.Targets[0].Name, d.Sources[0].Name).SQL)
	}
	s.SQL = strings.Join(drops, "; ") + rehearsal
	switch err := w.run(ctx, s); sqlState(err) {
	case rehearsed:
		return nil
	case "2BP01": // dependent_objects_still_exist
		return w.closed("drop what depends on it, or make it depend on the target",
			"column %q cannot be dropped: %s", strings.Join(w.t.Definition.SourceNames(), ", "), dependentsIn(err))
	default:
		return err
	}
}
