package preflight

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// index is a secondary index that contains a source anywhere: as a column, in
// INCLUDE, in an expression or in its predicate.
type index struct {
	Name             string
	Definition       string
	Constraint       string
	ConstraintKind   string
	Unique           bool
	NullsNotDistinct bool
	Exclusion        bool // an exclusion constraint, or UNIQUE ... WITHOUT OVERLAPS
	Deferrable       bool
	Valid            bool
	Identity         bool
	Clustered        bool
	Tablespace       bool
	Comment          string
	Bytes            int64
	// Expressions are those of the index and its predicate.
	Expressions string
	// Columns are all that it reads, whether as a key or in an expression.
	Columns []string
}

// checkIndexes writes the sources' indexes into the Definition, with their
// counterparts on the targets.
func checkIndexes(ctx context.Context, in *inspection) error {
	indexes, err := in.readIndexes(ctx, false)
	if err != nil {
		return err
	}
	var uniques []string
	for _, x := range indexes {
		if !in.movable(x) {
			continue
		}
		target, err := in.freeName(ctx, counterpartName(x.Name, in.Move.SourceNames(), in.Move.TargetNames()))
		if err != nil {
			return err
		}
		moved, err := in.counterpart(ctx, x, target)
		var unsupported *unsupportedError
		if errors.As(err, &unsupported) {
			hint := "drop it for the time of the transition, and create what takes its place after contract"
			if d := in.report.Definition; d.Kind == transform.Change && d.Preserves == transform.PreserveNothing {
				hint = "where targets are equal exactly when their sources are, say preserves: equality; otherwise " + hint
			}
			in.refuse("index-unsupported", "index "+in.Schema+"."+x.Name, unsupported.Error(), hint)
			continue
		}
		if err != nil {
			return err
		}
		in.report.Definition.Indexes = append(in.report.Definition.Indexes, moved)
		in.report.Size.NewIndexBytes += x.Bytes
		if x.Unique {
			uniques = append(uniques, x.Name)
		}
	}
	if len(uniques) > 0 {
		in.warn("unique-race", "index "+list(uniques), "while its counterpart exists too, an INSERT ... ON CONFLICT that loses a race "+
			"may fail with 23505 on the other of the two", "let the application try such a statement again; nothing is lost")
	}
	if len(in.report.Definition.Indexes) > 0 {
		in.checkMayCreate(fmt.Sprintf("the counterparts of %d indexes", len(in.report.Definition.Indexes)))
	}
	return nil
}

// checkMayCreate: an index is made in the schema of its table, or partition.
func (in *inspection) checkMayCreate(what string) {
	var refused []string
	for _, m := range in.members {
		if !m.MayCreate && !slices.Contains(refused, m.Schema) {
			refused = append(refused, m.Schema)
			in.refuse("no-create-on-schema", "schema "+m.Schema, fmt.Sprintf("role %s may not create %s in it", in.table.User, what),
				"grant create on the schema to it")
		}
	}
}

// readIndexes reads the indexes of the sources: that of the primary key, or all
// others.
func (in *inspection) readIndexes(ctx context.Context, primary bool) ([]index, error) {
	indexes, err := query[index](ctx, in, `
		select i.relname, pg_get_indexdef(x.indexrelid), coalesce(k.conname, ''), coalesce(k.contype::text, ''), x.indisunique,
			coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::bool, false), x.indisexclusion, coalesce(k.condeferrable, false), x.indisvalid,
			x.indisreplident, x.indisclustered, i.reltablespace <> 0, coalesce(obj_description(i.oid, 'pg_class'), ''),
			greatest(pg_relation_size(i.oid), (select sum(pg_relation_size(relid)) from pg_partition_tree(i.oid)))::bigint,
			coalesce(pg_get_expr(x.indexprs, x.indrelid), '') || ' ' || coalesce(pg_get_expr(x.indpred, x.indrelid), ''),
			array(select a.attname::text from pg_attribute a where a.attrelid = x.indrelid and a.attnum > 0 and (
				a.attnum = any(x.indkey::int2[]) or exists (select from pg_depend d where d.classid = 'pg_class'::regclass
					and d.objid = x.indexrelid and d.refobjid = x.indrelid and d.refobjsubid = a.attnum)))
		from pg_index x
		join pg_class i on i.oid = x.indexrelid
		left join pg_constraint k on k.conindid = x.indexrelid and k.contype in ('p', 'u', 'x')
		where x.indrelid = $1 and x.indisprimary = $4 and ($2::int2[] && x.indkey::int2[] or x.indexrelid = any($3))
		order by i.relname`, in.table.OID, in.numbers(), in.of("pg_class"), primary)
	if err != nil {
		return nil, fmt.Errorf("read indexes: %w", err)
	}
	return indexes, nil
}

// movable tells whether an index gets a counterpart, and says why when not.
func (in *inspection) movable(x index) bool {
	object := "index " + in.Schema + "." + x.Name
	switch {
	case x.Exclusion:
		return false // checkConstraints has refused it
	case len(in.report.Definition.Sources) == 0:
		return false // an expression has been refused
	case !x.Valid && in.report.Definition.Partitioned:
		in.refuse("index-invalid", object, "partitions lack their part of it, so it would not move, and those that have it would lose it",
			"build the missing ones and attach them (alter index ... attach partition ...), or drop it")
		return false
	case !x.Valid:
		in.warn("index-invalid", object, "a build of it has failed, so it gets no counterpart",
			"drop it or build it again (reindex index concurrently) before the start")
		return false
	case x.Identity && x.ConstraintKind == "p": // checkDependents sees to others
		in.refuse("replica-identity", object, "it is named as the replica identity of the table, and would be dropped with the source",
			"run alter table ... replica identity default: that is the primary key, whichever it is")
	case x.NullsNotDistinct:
		in.refuse("nulls-not-distinct", object, "it allows one NULL, and the target is NULL in every row at first",
			"make it NULLS DISTINCT, or the column NOT NULL")
	case x.Deferrable:
		in.refuse("deferrable-unique", object, "its constraint is deferrable, which is not supported yet",
			"make the constraint not deferrable")
	}
	for _, other := range in.others {
		for _, column := range append(other.Definition.SourceNames(), other.Definition.TargetNames()...) {
			if slices.Contains(x.Columns, column) {
				in.refuse("index-shared", object, fmt.Sprintf("transition %q is moving its column %s at this time", other.Name, column),
					"contract that transition first, or drop the index for the time of both")
			}
		}
	}
	if x.Clustered {
		in.info("index-property", object, "the table is clustered on it; its counterpart is not marked so",
			"run alter table ... cluster on ... after contract")
	}
	if x.Tablespace {
		in.info("index-property", object, "it is in a tablespace of its own; its counterpart is built in the default one",
			"run alter index ... set tablespace ... after contract")
	}
	if x.Comment != "" {
		in.info("index-property", object, "it has a comment; its counterpart gets none", "run comment on index ... after contract")
	}
	return true
}

// counterpartName puts the targets' names where those of the sources stand in the
// name of an index, or behind it.
func counterpartName(index string, sources, targets []string) string {
	words, become := "_"+index+"_", strings.Join(targets, "_")
	for _, source := range append([]string{strings.Join(sources, "_")}, sources...) {
		if before, after, found := strings.Cut(words, "_"+source+"_"); found {
			name := before + "_" + become + "_" + after
			return name[1 : len(name)-1]
		}
	}
	return index + "_" + become
}

// freeName cuts a name to size and numbers it until nothing in the table's schema
// has it.
func (in *inspection) freeName(ctx context.Context, wish string) (string, error) {
	return in.freeNameIn(ctx, in.Schema, wish)
}

func (in *inspection) freeNameIn(ctx context.Context, schema, wish string) (string, error) {
	for n := 0; ; n++ {
		suffix := ""
		if n > 0 {
			suffix = fmt.Sprint("_", n)
		}
		name := cut(wish, maxName-len(suffix)) + suffix
		var taken bool
		err := in.tx.QueryRow(ctx, `
			select exists (select from pg_class where relnamespace = n.oid and relname = $2)
				or exists (select from pg_statistic_ext where stxnamespace = n.oid and stxname = $2)
				or exists (select from pg_constraint where conrelid = $3 and conname = $2)
			from pg_namespace n where n.nspname = $1`, schema, name, in.table.OID).Scan(&taken)
		if err != nil {
			return "", fmt.Errorf("look for name %s: %w", name, err)
		}
		if !taken && !in.given[name] {
			in.given[name] = true
			return name, nil
		}
	}
}

// cut shortens a text to a number of bytes, between runes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
