package ddl

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// TreeForeignKey is a foreign key of a partitioned table. Before version 18
// PostgreSQL adds none to it as NOT VALID, and with the table it would scan all
// partitions under its lock. So each leaf gets its own, not valid, which is then
// validated; and the one of the table, which finds nothing left to scan, makes
// those its parts. A partition that is created after that brings its part.
type TreeForeignKey struct {
	ForeignKey
	Name string
	// Mark begins the name of the parts as long as they are not attached. Nobody
	// else gives such names.
	Mark string
}

// mark is that name.
func (x TreeForeignKey) mark() string { return x.Mark + "_" + digest(x.Name) }

// Ensure adds the foreign key and proves it, whatever an earlier attempt has left
// behind.
func (x TreeForeignKey) Ensure(ctx context.Context, conn *pgx.Conn, do Do) error {
	run := runner(ctx, conn, do)
	// Partitions may come and go at any time. Then it looks anew.
	for {
		members, err := ReadTree(ctx, conn, x.Table)
		if err != nil {
			return err
		}
		whole, err := ReadConstraint(ctx, conn, x.Table, x.Name)
		if err != nil {
			return err
		}
		if !whole.Exists {
			err = x.ensureParts(ctx, conn, members, run)
			if err == nil {
				err = run(x.attach())
			}
		}
		if err == nil {
			err = x.settle(ctx, conn, run)
		}
		if err == nil {
			return nil
		}
		now, lookErr := ReadTree(ctx, conn, x.Table)
		if lookErr != nil || slices.Equal(members, now) {
			return errors.Join(err, lookErr)
		}
	}
}

// runner runs a statement as it is.
func runner(ctx context.Context, conn *pgx.Conn, do Do) func(Statement) error {
	return func(s Statement) error {
		return do(s, func(r Runner) error { return r.Run(ctx, conn, s) })
	}
}

func (x TreeForeignKey) ensureParts(ctx context.Context, conn *pgx.Conn, members []Member, run func(Statement) error) error {
	for _, m := range members {
		if !m.Leaf {
			continue
		}
		part := x.on(m.Name)
		c, err := ReadConstraint(ctx, conn, m.Name, x.mark())
		if err == nil && !c.Exists {
			err = run(AddForeignKey(part, x.mark()))
		}
		if err == nil && !c.Validated {
			err = run(ValidateForeignKey(part, x.mark()))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// on is the foreign key of a partition.
func (x TreeForeignKey) on(partition Name) ForeignKey {
	part := x.ForeignKey
	part.Table = partition
	return part
}

// attach adds the foreign key of the table. Under its lock it looks whether each
// partition has its part still, and divides by zero if not: one that came
// meanwhile would be scanned.
func (x TreeForeignKey) attach() Statement {
	guard := "select 1 / case when exists (select from pg_catalog.pg_partition_tree(" + literal(x.Table.String()) + ") t where isleaf and not exists (" +
		"select from pg_catalog.pg_constraint where conrelid = t.relid and conname = " + literal(x.mark()) + " and convalidated)) then 0 else 1 end; "
	s := quick(x.Table, guard+"alter table "+x.Table.String()+" add constraint "+ident(x.Name)+" "+x.Body,
		"the foreign keys of the partitions become part of the whole")
	s.Lock, s.Also, s.AlsoLock, s.Pair = ShareRowExclusive, x.also(), AccessExclusive, true
	s.Hazard = "stops every write of the table with all partitions, and every statement on " + x.To.String() +
		", for milliseconds, and for up to lock_timeout while it waits"
	return s
}

// settle gives the parts their own names, and drops those of partitions that have
// been detached.
func (x TreeForeignKey) settle(ctx context.Context, conn *pgx.Conn, run func(Statement) error) error {
	if err := x.rename(ctx, conn, x.mark(), x.Name, run); err != nil {
		return err
	}
	return x.dropLoose(ctx, conn, run)
}

// Rename renames it, with its parts of the same name, which nobody else gives.
func (x TreeForeignKey) Rename(ctx context.Context, conn *pgx.Conn, to string, do Do) error {
	run := runner(ctx, conn, do)
	if err := x.rename(ctx, conn, x.Name, to, run); err != nil {
		return err
	}
	// The whole comes last: it is what tells that there is something to rename.
	return run(RenameConstraint(x.Table, x.Name, to))
}

// rename renames the parts that have a name.
func (x TreeForeignKey) rename(ctx context.Context, conn *pgx.Conn, from, to string, run func(Statement) error) error {
	tables, err := x.named(ctx, conn, from, true)
	if err != nil {
		return err
	}
	for _, table := range tables {
		name, err := freeConstraint(ctx, conn, table, to)
		if err == nil {
			err = run(RenameConstraint(table, from, name))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// freeConstraint numbers a name until no constraint of a table has it.
func freeConstraint(ctx context.Context, conn *pgx.Conn, table Name, wish string) (string, error) {
	for n := 0; ; n++ {
		name := wish
		if n > 0 {
			name = fmt.Sprint(wish, "_", n)
		}
		name = fit(name)
		c, err := ReadConstraint(ctx, conn, table, name)
		if err != nil || !c.Exists {
			return name, err
		}
	}
}

// Drop drops the foreign key with all its parts, those too that have never been
// attached.
func (x TreeForeignKey) Drop(ctx context.Context, conn *pgx.Conn, do Do) error {
	run := runner(ctx, conn, do)
	whole, err := ReadConstraint(ctx, conn, x.Table, x.Name)
	if err == nil && whole.Exists {
		err = run(DropForeignKey(x.ForeignKey, x.Name))
	}
	if err != nil {
		return err
	}
	return x.dropLoose(ctx, conn, run)
}

// dropLoose drops the parts that are attached to nothing.
func (x TreeForeignKey) dropLoose(ctx context.Context, conn *pgx.Conn, run func(Statement) error) error {
	tables, err := x.named(ctx, conn, x.mark(), false)
	if err != nil {
		return err
	}
	for _, table := range tables {
		if err := run(DropForeignKey(x.on(table), x.mark())); err != nil {
			return err
		}
	}
	return nil
}

// named lists the tables with a part of a name that only its parts have: those
// where it is attached, or those where it is not.
func (x TreeForeignKey) named(ctx context.Context, conn *pgx.Conn, name string, attached bool) ([]Name, error) {
	rows, err := conn.Query(ctx, `
		select n.nspname, c.relname from pg_catalog.pg_constraint k
		join pg_catalog.pg_class c on c.oid = k.conrelid
		join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		where k.contype = 'f' and k.conname = $1 and $2 = (k.conparentid <> 0) order by 1, 2`, name, attached)
	if err != nil {
		return nil, fmt.Errorf("list parts of foreign key %s: %w", ident(x.Name), err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Name])
	if err != nil {
		return nil, fmt.Errorf("list parts of foreign key %s: %w", ident(x.Name), err)
	}
	return tables, nil
}

// Plan are the statements of Ensure and Drop as they are on a first run, with a
// placeholder for the partitions.
func (x TreeForeignKey) Plan() (ensure []Statement, drop Statement) {
	part := x.on(Name{Schema: "<schema>", Table: "<partition>"})
	return []Statement{
		AddForeignKey(part, x.mark()), ValidateForeignKey(part, x.mark()), x.attach(), RenameConstraint(part.Table, x.mark(), x.Name),
	}, DropForeignKey(x.ForeignKey, x.Name)
}
