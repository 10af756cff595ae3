package ddl

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// A partitioned table holds no rows: its leaves do, which are partitions without
// partitions. ALTER TABLE of the root reaches them all, and locks them all until
// it is done. What takes long is therefore done leaf by leaf before, each in a
// transaction of its own, so that the statement on the root finds nothing left
// to do.

// Member is a table of a partition tree.
type Member struct {
	Name
	// Parent is the table that it is a partition of; of the root, no name.
	Parent Name
	// Leaf: it holds rows.
	Leaf bool
}

// ReadTree lists a partitioned table and its partitions of all levels, parents
// first. A table without partitions is a tree of one leaf; one that does not
// exist has no members. A partition that is being detached is not a member any
// more.
func ReadTree(ctx context.Context, conn *pgx.Conn, table Name) ([]Member, error) {
	rows, err := conn.Query(ctx, `
		with recursive tree (oid, parent, level) as (
			select to_regclass($1)::oid, null::oid, 0
			union all
			select i.inhrelid, i.inhparent, t.level + 1
			from tree t join pg_catalog.pg_class p on p.oid = t.oid and p.relkind = 'p'
			join pg_catalog.pg_inherits i on i.inhparent = t.oid
				and not coalesce((to_jsonb(i) ->> 'inhdetachpending')::bool, false)
		)
		select n.nspname, c.relname, coalesce(pn.nspname, ''), coalesce(p.relname, ''), c.relkind <> 'p'
		from tree t
		join pg_catalog.pg_class c on c.oid = t.oid
		join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		left join pg_catalog.pg_class p on p.oid = t.parent
		left join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace
		order by t.level, 1, 2`, table.String())
	if err != nil {
		return nil, fmt.Errorf("list partitions of %s: %w", table, err)
	}
	members, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Member, error) {
		var m Member
		err := row.Scan(&m.Schema, &m.Table, &m.Parent.Schema, &m.Parent.Table, &m.Leaf)
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("list partitions of %s: %w", table, err)
	}
	return members, nil
}

// EachLeaf calls fn for each leaf of a table. An error of fn does not count when
// the leaf has been detached or dropped meanwhile.
func EachLeaf(ctx context.Context, conn *pgx.Conn, table Name, fn func(leaf Name) error) error {
	members, err := ReadTree(ctx, conn, table)
	if err != nil {
		return err
	}
	for _, m := range members {
		if !m.Leaf {
			continue
		}
		if err := fn(m.Name); err != nil {
			if gone, lookErr := isGone(ctx, conn, table, m); lookErr != nil || !gone {
				return err
			}
		}
	}
	return nil
}

// isGone tells whether a member of a tree is none any more.
func isGone(ctx context.Context, conn *pgx.Conn, table Name, m Member) (bool, error) {
	members, err := ReadTree(ctx, conn, table)
	if err != nil {
		return false, err
	}
	for _, other := range members {
		if other == m {
			return false, nil
		}
	}
	return true, nil
}
