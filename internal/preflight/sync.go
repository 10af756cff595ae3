package preflight

import (
	"context"
	"fmt"
	"slices"

	"github.com/pgcrossfade/crossfade/internal/synctrigger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// checkSync looks whether a trigger can follow the writers without the hook.
func checkSync(ctx context.Context, in *inspection) error {
	if in.Sync == "" {
		return nil
	}
	if err := checkLanguage(ctx, in); err != nil {
		return err
	}
	if err := checkOrder(ctx, in); err != nil {
		return err
	}
	if in.Sync == synctrigger.Sync {
		checkDefaultOrNull(in)
		checkKeyStays(in)
	}
	return checkInsteadOf(ctx, in)
}

func checkLanguage(ctx context.Context, in *inspection) error {
	found, err := query[struct{ Usable bool }](ctx, in,
		`select has_language_privilege(oid, 'usage') from pg_language where lanname = 'plpgsql'`)
	switch {
	case err != nil:
		return fmt.Errorf("read languages: %w", err)
	case len(found) == 0:
		in.refuse("sync-language", "language plpgsql", "it does not exist, and the trigger is written in it", "create extension plpgsql, or say sync: none")
	case !found[0].Usable:
		in.refuse("sync-language", "language plpgsql", "role "+in.table.User+" may not use it, and the trigger is written in it",
			"grant usage on language plpgsql to it, or say sync: none")
	}
	return nil
}

// checkOrder: BEFORE row triggers fire in the order of their names, and the last
// one has to be ours.
func checkOrder(ctx context.Context, in *inspection) error {
	triggers, err := query[struct {
		Name  string
		Later bool
	}](ctx, in, `
		select distinct quote_ident(t.tgname), t.tgname > $2::name
		from pg_trigger t
		where t.tgrelid in (select relid from pg_partition_tree($1) union select $1::regclass)
			and not t.tgisinternal and t.tgtype & 3 = 3 and t.tgtype & 20 <> 0 and t.tgname !~ $3
		order by 1`, in.table.OID, synctrigger.Prefix, synctrigger.Names)
	if err != nil {
		return fmt.Errorf("read the order of triggers: %w", err)
	}
	for _, t := range triggers {
		object := "trigger " + t.Name + " on " + in.tableName()
		if t.Later {
			in.refuse("sync-trigger-later", object, "it would fire after the trigger that keeps both sides, and may change what that has kept",
				"give it a name that sorts before "+synctrigger.Prefix+" (alter trigger ... rename to ...)")
			continue
		}
		in.info("sync-trigger-before", object, "it fires before the trigger that keeps both sides, which sees what it has changed", "")
	}
	return nil
}

// checkDefaultOrNull: in complete a hooked INSERT gives the targets alone, and
// the source gets its DEFAULT. When the target given is NULL, that looks like a
// row of somebody who gave neither.
func checkDefaultOrNull(in *inspection) {
	m := in.report.Definition.Move
	nullable := !slices.ContainsFunc(m.Targets, func(c transform.Column) bool { return c.NotNull })
	for _, c := range m.Sources {
		if c.Default != "" && nullable {
			in.refuse("sync-null-default", in.columnName(c.Name),
				"it may be NULL and has a DEFAULT: in complete a hooked INSERT of an explicit NULL would get the DEFAULT from the trigger",
				"drop the DEFAULT, or make the column NOT NULL; if nobody inserts an explicit NULL, accept sync-null-default")
		}
	}
}

// checkKeyStays: what hangs on a key moves to the target before complete, which
// is too early for those who write the source.
func checkKeyStays(in *inspection) {
	d := in.report.Definition
	if d.PrimaryKey != nil || len(d.Sequences) > 0 || len(d.ForeignKeys) > 0 {
		in.refuse("sync-key", in.tableName(), "the primary key, an identity or a sequence, or a foreign key moves with "+list(d.SourceNames())+
			": a trigger cannot keep the source right for all that use it", "say sync_mode: refuse, or count, or end the writers without the hook")
	}
}

// checkInsteadOf lists what writes the table in its own way.
func checkInsteadOf(ctx context.Context, in *inspection) error {
	triggers, err := query[struct{ Name, View string }](ctx, in, `
		select distinct quote_ident(t.tgname), t.tgrelid::regclass::text
		from pg_depend d
		join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
		join pg_trigger t on t.tgrelid = r.ev_class and t.tgtype & 64 <> 0
		where d.refclassid = 'pg_class'::regclass and d.refobjid = $1
		order by 1, 2`, in.table.OID)
	if err != nil {
		return fmt.Errorf("read INSTEAD OF triggers: %w", err)
	}
	for _, t := range triggers {
		in.info("sync-instead-of", "trigger "+t.Name+" on view "+t.View,
			"writes of the view are what its function makes of them; those that reach the table are followed", "")
	}
	return nil
}
