package migrator

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// treeIndex is an index of a partitioned table.
func treeIndex(t ledger.Transition, index ledger.Index) ddl.TreeIndex {
	return ddl.TreeIndex{
		Root: tableOf(t), Name: index.Target, Create: index.Create, Constraint: index.TargetConstraint != "",
		Mark: constraintName(t, "part"),
	}
}

// alteredTree is the index that a transition adds to a partitioned table.
func alteredTree(t ledger.Transition) ddl.TreeIndex {
	a := *t.Definition.Alteration
	x := treeIndex(t, ledger.Index{Target: a.Index, Create: a.Create, TargetConstraint: a.Constraint})
	if x.Constraint {
		x.Timing = a.Body
	}
	return x
}

// treeForeignKey is a foreign key of a partitioned table.
func treeForeignKey(t ledger.Transition, key ddl.ForeignKey, name string) ddl.TreeForeignKey {
	return ddl.TreeForeignKey{ForeignKey: key, Name: name, Mark: constraintName(t, "part")}
}

// analyze lets the planner know the targets.
func analyze(t ledger.Transition) ddl.Statement {
	if t.Definition.Partitioned {
		return ddl.AnalyzeTree(tableOf(t))
	}
	return ddl.Analyze(tableOf(t))
}

// missedRounds is how often copyMissed copies.
const missedRounds = 3

// copyMissed copies the rows that the backfill has missed: an UPDATE of a partition
// key has moved them over its position, or they came with a partition that was
// attached behind it. It must end before a constraint refuses a row for that.
// The comparison that finds nothing is the one that verifyStep wants.
func (w *work) copyMissed(ctx context.Context) error {
	for round := 0; ; round++ {
		err := w.mend(ctx)
		if err == nil {
			_, err = w.compare(ctx)
		}
		var missed *MismatchError
		if !errors.As(err, &missed) || round == missedRounds {
			return err
		}
	}
}

// validate validates a constraint, of a partitioned table leaf by leaf: as a whole
// every partition would be locked until the last one has been read.
func (w *work) validate(ctx context.Context, constraint string) error {
	if w.t.Definition.Partitioned {
		err := ddl.EachLeaf(ctx, w.conn, w.table(), func(leaf ddl.Name) error {
			c, err := ddl.ReadConstraint(ctx, w.conn, leaf, constraint)
			if err != nil || !c.Exists || c.Validated {
				return err
			}
			return w.run(ctx, ddl.ValidateConstraint(leaf, constraint))
		})
		if err != nil {
			return err
		}
	}
	return w.run(ctx, ddl.ValidateConstraint(w.table(), constraint))
}

// validateStatements show what validate does.
func validateStatements(t ledger.Transition, constraint string) []ddl.Statement {
	whole := ddl.ValidateConstraint(tableOf(t), constraint)
	if !t.Definition.Partitioned {
		return []ddl.Statement{whole}
	}
	whole.Hazard = "every partition has been read before"
	return []ddl.Statement{ddl.ValidateConstraint(ddl.Name{Schema: "<schema>", Table: "<partition>"}, constraint), whole}
}

// partitionsAreAlike: no partition has constraints or indexes of its own on the
// sources, as one may that was attached after the beginning. A gate that looks
// at the table alone does not see them.
func partitionsAreAlike(ctx context.Context, w *work) error {
	if !w.t.Definition.Partitioned {
		return nil
	}
	rows, err := w.conn.Query(ctx, `
		with recursive tree (oid) as (
			select to_regclass($1)::oid union all select i.inhrelid from tree t join pg_inherits i on i.inhparent = t.oid
		), columns as (
			select a.* from tree t join pg_attribute a on a.attrelid = t.oid and a.attname = any($2)
			where t.oid <> to_regclass($1)
		)
		select 'NOT NULL of column ' || c.attname || ' of table ' || c.attrelid::regclass from columns c
		join pg_attribute r on r.attrelid = to_regclass($1) and r.attname = c.attname
		where c.attnotnull and not r.attnotnull
		union
		select pg_describe_object(d.classid, d.objid, d.objsubid)
		from columns c
		join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = c.attrelid and d.refobjsubid = c.attnum
		left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid
		left join pg_class i on d.classid = 'pg_class'::regclass and i.oid = d.objid
		where k.conparentid = 0 and k.coninhcount = 0 and k.contype <> 'n'
			or i.oid <> c.attrelid and not exists (select from pg_inherits h where h.inhrelid = i.oid)
		order by 1`, w.table().String(), w.t.Definition.SourceNames())
	if err != nil {
		return fmt.Errorf("look for what partitions have of their own: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for what partitions have of their own: %w", err)
	}
	if len(found) > 0 {
		return w.closed("make them part of the whole table, on the target, or drop them",
			"these belong to single partitions, and would refuse rows or go with the source: %s", strings.Join(found, ", "))
	}
	return nil
}
