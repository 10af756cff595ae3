package ddl

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
