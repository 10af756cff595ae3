package migrator

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// treeIndex is an index of a partitioned table.
func treeIndex(t ledger.Transition, index ledger.Index) ddl.TreeIndex {
	x := ddl.TreeIndex{Root: tableOf(t), Name: index.Target, Create: index.Create, Constraint: index.TargetConstraint != ""}
	x.Columns = t.Definition.TargetNames()
	if slices.ContainsFunc(t.Definition.Indexes, func(other ledger.Index) bool { return other.Name == index.Target }) {
		x.Columns = t.Definition.SourceNames() // see uniques
	}
	return x
}

// analyze lets the planner know the targets.
func analyze(t ledger.Transition) ddl.Statement {
	if t.Definition.Partitioned {
		return ddl.AnalyzeTree(tableOf(t))
	}
	return ddl.Analyze(tableOf(t))
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

// partitionsTheirOwn finds what depends on the columns in a partition and not in
// its parent: a gate that looks at the table alone does not see it.
func (w *work) partitionsTheirOwn(ctx context.Context, columns []string) ([]string, error) {
	if !w.t.Definition.Partitioned {
		return nil, nil
	}
	rows, err := w.conn.Query(ctx, `
		with recursive tree (oid) as (
			select to_regclass($1)::oid union all select i.inhrelid from tree t join pg_inherits i on i.inhparent = t.oid
		)
		select distinct pg_describe_object(d.classid, d.objid, d.objsubid)
		from tree r
		join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = r.oid
		join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid and a.attname = any($2)
		left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid
		left join pg_class i on d.classid = 'pg_class'::regclass and i.oid = d.objid
		where r.oid <> to_regclass($1) and (k.oid is not null or i.oid is not null)
			and (k.oid is null or k.conparentid = 0 and k.coninhcount = 0 and k.contype <> 'n')
			and (i.oid is null or i.oid <> r.oid and not exists (select from pg_inherits h where h.inhrelid = i.oid))
		order by 1`, w.table().String(), columns)
	if err != nil {
		return nil, fmt.Errorf("look for what depends on %q in partitions: %w", columns, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look for what depends on %q in partitions: %w", columns, err)
	}
	return found, nil
}
