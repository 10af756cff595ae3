package preflight

import (
	"context"
	"errors"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// checkPrimaryKey writes down how the primary key moves, if a source is part of
// it.
func checkPrimaryKey(ctx context.Context, in *inspection) error {
	indexes, err := in.readIndexes(ctx, true)
	if err != nil || len(indexes) == 0 {
		return err
	}
	d, x := &in.report.Definition, indexes[0]
	if !in.keyMoves() || !in.movable(x) {
		return nil
	}
	if err := in.checkKeyDependents(ctx, x); err != nil {
		return err
	}
	if err := in.checkKeyPublished(ctx); err != nil {
		return err
	}
	names := make([]string, 2)
	for i, wish := range []string{counterpartName(x.Name, d.SourceNames(), d.TargetNames()), counterpartName(x.Name, d.TargetNames(), d.SourceNames())} {
		if names[i], err = in.freeName(ctx, wish); err != nil {
			return err
		}
	}
	moved, err := in.counterpart(ctx, x, names[0])
	var unsupported *unsupportedError
	if errors.As(err, &unsupported) {
		in.refuse("source-in-primary-key", "index "+in.Schema+"."+x.Name, unsupported.Error(), "give the table another primary key first")
		return nil
	}
	if err != nil {
		return err
	}
	restore, err := ddl.Counterpart(x.Definition, x.Name, names[1])
	if err != nil {
		return err
	}
	d.PrimaryKey = &ledger.PrimaryKey{Constraint: x.Constraint, Target: names[0], Create: moved.Create, Source: names[1], Restore: restore}
	in.report.Size.NewIndexBytes += x.Bytes
	in.warn("unique-race", "index "+x.Name, "while its counterpart exists too, an INSERT ... ON CONFLICT that loses a race "+
		"may fail with 23505 on the other of the two", "let the application try such a statement again; nothing is lost")
	if !in.table.MayCreate {
		in.refuse("no-create-on-schema", "schema "+in.Schema, fmt.Sprintf("role %s may not create the index of the new primary key in it",
			in.table.User), "grant create on the schema to it")
	}
	return nil
}

// keyMoves tells whether the target can be a key as the source is.
func (in *inspection) keyMoves() bool {
	d := in.report.Definition
	object := in.columnName(in.Move.SourceNames()[0])
	switch {
	case len(d.Sources) == 0:
		return false // an expression has been refused
	case d.Partitioned:
		in.refuse("source-in-primary-key", object, "it is part of the primary key of a partitioned table, which cannot be built beside the traffic",
			"make a unique index over other columns the primary key first")
		return false
	case len(d.Sources) > 1 || len(d.Targets) > 1:
		in.refuse("source-in-primary-key", object, "it is part of the primary key, which a split or merge cannot move",
			"make a unique index over other columns the primary key first")
		return false
	case !d.Identity() && d.Preserves == transform.PreserveNothing:
		in.refuse("source-in-primary-key", object, "it is part of the primary key, and it is not known that different values stay different",
			"if they do, say preserves: equality")
		return false
	case !d.Targets[0].NotNull:
		in.refuse("source-in-primary-key", object, "it is part of the primary key, and the target is to be nullable", "leave not_null out")
		return false
	}
	return true
}

// checkKeyDependents: a query that is stored may owe it to the key that it can
// group by that alone.
func (in *inspection) checkKeyDependents(ctx context.Context, x index) error {
	dependents, err := query[struct{ Description string }](ctx, in, `
		select distinct pg_describe_object(d.classid, d.objid, d.objsubid)
		from pg_depend d
		join pg_constraint k on d.refclassid = 'pg_constraint'::regclass and k.oid = d.refobjid
		where k.conrelid = $1 and k.contype = 'p' and d.classid <> 'pg_constraint'::regclass and d.deptype = 'n'
		order by 1`, in.table.OID)
	if err != nil {
		return fmt.Errorf("read dependents of the primary key: %w", err)
	}
	for _, d := range dependents {
		in.refuse("primary-key-depends", d.Description, "its GROUP BY depends on the primary key "+x.Constraint,
			"name every column in its GROUP BY, and create it anew")
	}
	return nil
}

// checkKeyPublished: the replica identity follows the primary key from one moment
// to the next; a subscriber finds rows by a key of its own.
func (in *inspection) checkKeyPublished(ctx context.Context) error {
	found, err := query[struct {
		Identity    string
		Publication []string
	}](ctx, in, `
		select c.relreplident::text, array(select quote_ident(p.pubname) from pg_publication p
			where (p.pubupdate or p.pubdelete) and exists (select from pg_publication_tables t
				where t.pubname = p.pubname and t.schemaname = $2 and t.tablename = $3) order by 1)
		from pg_class c where c.oid = $1`, in.table.OID, in.Schema, in.Table)
	if err != nil {
		return fmt.Errorf("read publications: %w", err)
	}
	if found[0].Identity == "d" && len(found[0].Publication) > 0 {
		in.refuse("key-published", "publication "+list(found[0].Publication), "the replica identity moves with the primary key in the release step, "+
			"and a subscriber finds rows by a key of its own",
			"run alter table ... replica identity full for the time of the transition; on every subscriber make the target "+
				"the primary key in phase rampdown")
	}
	return nil
}
