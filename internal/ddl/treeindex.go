package ddl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// TreeIndex is an index of a partitioned table. It cannot be built CONCURRENTLY as
// a whole: it is made on the root alone, where it is INVALID at first, and so on
// each partition that has partitions itself; each leaf gets its part
// CONCURRENTLY; and each part is attached to its parent's. With the last one the
// whole becomes valid. A partition that is created meanwhile brings its part.
// Parts are built under names that only this index has, and get their own when
// they are attached.
type TreeIndex struct {
	Root Name
	Name string
	// Create is the statement as Counterpart made it.
	Create string
	// Constraint: it carries a UNIQUE constraint of the same name.
	Constraint bool
	// Timing says when that is checked: DEFERRABLE, INITIALLY DEFERRED.
	Timing string
	// Mark begins the names of parts that are not attached yet. Nobody else gives
	// such names, so what bears one is an earlier attempt.
	Mark string
}

// Do runs a function that executes a statement, or makes sure that it has been.
type Do func(s Statement, run func(Runner) error) error

// Ensure makes the index valid, whatever an earlier attempt has left behind.
func (x TreeIndex) Ensure(ctx context.Context, conn *pgx.Conn, do Do) error {
	d, err := x.definition()
	if err != nil {
		return err
	}
	// Partitions may come and go at any time. Then it looks anew.
	for {
		members, err := ReadTree(ctx, conn, x.Root)
		if err != nil {
			return err
		}
		state, err := ReadIndex(ctx, conn, x.Root, x.Name)
		if err != nil {
			return err
		}
		if state != IndexValid {
			err = x.ensureParts(ctx, conn, d, members, do)
			if err == nil {
				state, err = ReadIndex(ctx, conn, x.Root, x.Name)
			}
		}
		switch {
		case err != nil:
		case state == IndexValid:
			err = x.settle(ctx, conn, do)
		default:
			err = fmt.Errorf("index %s of %s is %s although every partition has its part", ident(x.Name), x.Root, state)
		}
		if err == nil {
			return nil
		}
		now, lookErr := ReadTree(ctx, conn, x.Root)
		if lookErr != nil || slices.Equal(members, now) {
			return errors.Join(err, lookErr)
		}
	}
}

// ensureParts makes all parts, parents first, and attaches them, children first: the
// part that makes its parent valid would lock the tables above too, all of them, were
// the parent attached already.
func (x TreeIndex) ensureParts(ctx context.Context, conn *pgx.Conn, d definition, members []Member, do Do) error {
	run := runner(ctx, conn, do)
	parts := map[Name]string{x.Root: x.Name}
	var attach []Statement
	for _, m := range members {
		if m.Name == x.Root {
			state, err := ReadIndex(ctx, conn, x.Root, x.Name)
			if err == nil && state == IndexMissing {
				err = run(d.only(x.Root, x.Name))
			}
			if err != nil {
				return err
			}
			continue
		}
		parent := parts[m.Parent]
		part, attached, err := x.findPart(ctx, conn, m, parent)
		if err != nil {
			return err
		}
		if part == "" {
			return nil // the partition has gone: Ensure looks anew
		}
		parts[m.Name] = part
		if attached {
			continue
		}
		if err := x.ensurePart(ctx, conn, d, m, part, do, run); err != nil {
			return err
		}
		attach = append(attach, AttachIndex(m.Parent, parent, m.Name, part))
	}
	for _, s := range slices.Backward(attach) {
		if err := run(s); err != nil {
			return err
		}
	}
	return nil
}

// ensurePart makes a part such that it can be attached.
func (x TreeIndex) ensurePart(ctx context.Context, conn *pgx.Conn, d definition, m Member, part string, do Do, run func(Statement) error) error {
	if !m.Leaf {
		state, err := ReadIndex(ctx, conn, m.Name, part)
		if err == nil && state == IndexMissing {
			err = run(d.only(m.Name, part))
		}
		return err
	}
	create := d.leaf(m.Name, part)
	err := do(create, func(r Runner) error { return r.EnsureIndex(ctx, conn, m.Name, part, create.SQL) })
	if err != nil || !x.Constraint {
		return err
	}
	c, err := ReadConstraint(ctx, conn, m.Name, part)
	if err == nil && !c.Exists {
		err = run(AddUniqueConstraint(m.Name, part, part, d.timing))
	}
	return err
}

// Drop drops the index with all its parts, those too that have never been
// attached.
func (x TreeIndex) Drop(ctx context.Context, conn *pgx.Conn, do Do) error {
	state, err := ReadIndex(ctx, conn, x.Root, x.Name)
	if err == nil && state != IndexMissing {
		s := x.dropWhole(x.Root, x.Name)
		err = runner(ctx, conn, do)(s)
	}
	if err != nil {
		return err
	}
	return x.dropLoose(ctx, conn, do)
}

// settle gives the parts their own names, and drops those that have none to be
// attached to: of partitions that have been detached.
func (x TreeIndex) settle(ctx context.Context, conn *pgx.Conn, do Do) error {
	parts, err := x.marked(ctx, conn, true)
	if err != nil {
		return err
	}
	for _, p := range parts {
		name, err := x.nameOf(ctx, conn, p.Table)
		if err != nil {
			return err
		}
		s := RenameIndex(p.Table, p.Name, name)
		s.Why = "the part gets the name that it keeps"
		if err := runner(ctx, conn, do)(s); err != nil {
			return err
		}
	}
	return x.dropLoose(ctx, conn, do)
}

// dropLoose drops the parts that are attached to nothing.
func (x TreeIndex) dropLoose(ctx context.Context, conn *pgx.Conn, do Do) error {
	parts, err := x.marked(ctx, conn, false)
	if err != nil {
		return err
	}
	for _, p := range parts {
		s := DropIndexConcurrently(p.Table, p.Name)
		if p.Whole || p.Constraint {
			s = x.dropWhole(p.Table, p.Name)
		}
		if err := runner(ctx, conn, do)(s); err != nil {
			return err
		}
	}
	return nil
}

// dropWhole drops an index with the parts that are attached to it.
func (x TreeIndex) dropWhole(table Name, index string) Statement {
	if x.Constraint {
		return DropConstraint(table, index)
	}
	return DropTreeIndex(table, index)
}

// Plan are the statements of Ensure and Drop as they are on a first run, with a
// placeholder for the partitions.
func (x TreeIndex) Plan() (ensure []Statement, drop Statement) {
	d, err := x.definition()
	if err != nil {
		return nil, x.dropWhole(x.Root, x.Name)
	}
	partition, part := Name{Schema: "<schema>", Table: "<partition>"}, "<index>"
	ensure = append(ensure, d.only(x.Root, x.Name), d.leaf(partition, part))
	if x.Constraint {
		ensure = append(ensure, AddUniqueConstraint(partition, part, part, d.timing))
	}
	return append(ensure, AttachIndex(x.Root, x.Name, partition, part), RenameIndex(partition, part, "<name>")), x.dropWhole(x.Root, x.Name)
}

// definition is a statement of Counterpart, taken apart.
type definition struct {
	unique, constraint bool
	body               string // from USING on
	timing             string
}

func (x TreeIndex) definition() (definition, error) {
	for _, kind := range []string{"CREATE INDEX ", "CREATE UNIQUE INDEX "} {
		rest, ok := strings.CutPrefix(x.Create, kind+"CONCURRENTLY "+ident(x.Name)+" ON ")
		rest = strings.TrimPrefix(rest, "ONLY ")
		for _, schema := range []string{x.Root.Schema, ident(x.Root.Schema)} {
			for _, table := range []string{x.Root.Table, ident(x.Root.Table)} {
				if body, found := strings.CutPrefix(rest, schema+"."+table+" USING "); ok && found {
					return definition{kind == "CREATE UNIQUE INDEX ", x.Constraint, "USING " + body, x.Timing}, nil
				}
			}
		}
	}
	return definition{}, fmt.Errorf("read definition of index %s: it does not begin as expected: %s", ident(x.Name), x.Create)
}

func (d definition) kind() string {
	if d.unique {
		return "CREATE UNIQUE INDEX "
	}
	return "CREATE INDEX "
}

// only makes the index on a table that has partitions, and on it alone.
func (d definition) only(table Name, index string) Statement {
	if d.constraint {
		s := quick(table, "alter table only "+table.String()+" add constraint "+ident(index)+" "+d.uniqueRule(),
			"the UNIQUE constraints of the partitions are attached to it")
		s.Only = true
		return s
	}
	return Statement{
		SQL: d.kind() + ident(index) + " ON ONLY " + table.String() + " " + d.body, Lock: Share, On: table.String(), Only: true,
		StatementTimeout: quickTimeout, Why: "the indexes of the partitions are attached to it",
		Hazard: "stops writes through the table for milliseconds, and for up to lock_timeout while it waits",
	}
}

// uniqueRule is the body as a constraint, which says elsewhere that NULLs are equal.
func (d definition) uniqueRule() string {
	const nulls = " NULLS NOT DISTINCT"
	rule, body := "unique", strings.TrimPrefix(d.body, "USING btree ")
	if before, after, found := strings.Cut(body, ")"+nulls); found {
		rule, body = rule+strings.ToLower(nulls), before+")"+after
	}
	rule += " " + body
	if d.timing != "" {
		rule += " " + d.timing
	}
	return rule
}

// leaf builds the part of a leaf.
func (d definition) leaf(table Name, index string) Statement {
	return CreateIndexConcurrently(table, d.kind()+"CONCURRENTLY "+ident(index)+" ON "+table.String()+" "+d.body)
}

// AttachIndex makes the index of a partition a part of its parent's.
func AttachIndex(parent Name, index string, partition Name, part string) Statement {
	s := quick(partition, "alter index "+pgx.Identifier{parent.Schema, index}.Sanitize()+" attach partition "+
		pgx.Identifier{partition.Schema, part}.Sanitize(), "the index of the partition becomes part of the whole")
	// Whoever plans a statement on the partition has a lock on its indexes.
	s.On, s.Of, s.Only = pgx.Identifier{partition.Schema, part}.Sanitize(), partition.String(), true
	s.Hazard = "stops every statement on the partition for milliseconds, and for up to lock_timeout while it waits"
	return s
}

// DropTreeIndex drops an index of a partitioned table with its parts, which
// PostgreSQL cannot do CONCURRENTLY.
func DropTreeIndex(table Name, index string) Statement {
	return quick(table, "drop index if exists "+pgx.Identifier{table.Schema, index}.Sanitize(), "the index is not needed")
}
