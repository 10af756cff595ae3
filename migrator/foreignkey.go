package migrator

import (
	"context"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// side is the side of a move that a foreign key has to do with.
type side bool

const (
	sourceSide side = false
	targetSide side = true
)

// foreignKey is a foreign key on one side, with its name there. The one on the
// target bears the transition's name, until the source is gone.
func foreignKey(t ledger.Transition, i int, on side) (ddl.ForeignKey, string) {
	k := t.Definition.ForeignKeys[i]
	key := ddl.ForeignKey{Table: ddl.Name{Schema: k.Schema, Table: k.Table}, To: ddl.Name{Schema: k.ToSchema, Table: k.ToTable}}
	if on == sourceSide {
		key.Body = ddl.ForeignKeyBody(k.Columns, key.To, k.References, k.Options)
		return key, k.Name
	}
	key.Body = ddl.ForeignKeyBody(k.TargetColumns, key.To, k.TargetReferences, k.Options)
	return key, constraintName(t, fmt.Sprintf("foreign_key_%d", i+1))
}

// foreignKeyStatements add the foreign keys of one side, and drop them.
func foreignKeyStatements(t ledger.Transition, on side) (add, drop []ddl.Statement) {
	for i, k := range t.Definition.ForeignKeys {
		key, name := foreignKey(t, i, on)
		if k.Partitioned {
			whole, gone := treeForeignKey(t, key, name).Plan()
			add, drop = append(add, whole...), append(drop, gone)
			continue
		}
		add = append(add, ddl.AddForeignKey(key, name))
		if k.Validated {
			add = append(add, ddl.ValidateForeignKey(key, name))
		}
		drop = append(drop, ddl.DropForeignKey(key, name))
	}
	return add, drop
}

// ensureForeignKeys adds those of one side that are missing.
func (w *work) ensureForeignKeys(ctx context.Context, on side) error {
	for i, k := range w.t.Definition.ForeignKeys {
		key, name := foreignKey(*w.t, i, on)
		if k.Partitioned {
			if err := treeForeignKey(*w.t, key, name).Ensure(ctx, w.conn, w.statement); err != nil {
				return err
			}
			continue
		}
		c, err := ddl.ReadConstraint(ctx, w.conn, key.Table, name)
		if err != nil {
			return err
		}
		if !c.Exists {
			if err := w.run(ctx, ddl.AddForeignKey(key, name)); err != nil {
				return err
			}
		}
		if k.Validated && !c.Validated {
			if err := w.run(ctx, ddl.ValidateForeignKey(key, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropForeignKeys drops those of one side that are there.
func (w *work) dropForeignKeys(ctx context.Context, on side) error {
	for i, k := range w.t.Definition.ForeignKeys {
		key, name := foreignKey(*w.t, i, on)
		if k.Partitioned {
			if err := treeForeignKey(*w.t, key, name).Drop(ctx, w.conn, w.statement); err != nil {
				return err
			}
			continue
		}
		c, err := ddl.ReadConstraint(ctx, w.conn, key.Table, name)
		if err == nil && c.Exists {
			err = w.run(ctx, ddl.DropForeignKey(key, name))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// foreignKeysStand: the target is referenced, or references, as its source is.
func foreignKeysStand(ctx context.Context, w *work) error {
	for i, k := range w.t.Definition.ForeignKeys {
		key, name := foreignKey(*w.t, i, targetSide)
		c, err := ddl.ReadConstraint(ctx, w.conn, key.Table, name)
		if err == nil && (!c.Exists || k.Validated && !c.Validated) {
			err = w.closed("roll back to off, and run again",
				"the foreign key %q of %s, the counterpart of %q, is gone or not valid", name, key.Table, k.Name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// nameForeignKeys gives those of the target the names of those that are gone.
func (w *work) nameForeignKeys(ctx context.Context) error {
	for i, k := range w.t.Definition.ForeignKeys {
		key, name := foreignKey(*w.t, i, targetSide)
		c, err := ddl.ReadConstraint(ctx, w.conn, key.Table, name)
		if err != nil {
			return err
		}
		taken, err := ddl.ReadConstraint(ctx, w.conn, key.Table, k.Name)
		if err != nil {
			return err
		}
		if !c.Exists || taken.Exists {
			continue
		}
		if k.Partitioned {
			err = treeForeignKey(*w.t, key, name).Rename(ctx, w.conn, k.Name, w.statement)
		} else {
			err = w.run(ctx, ddl.RenameConstraint(key.Table, name, k.Name))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func namingStatements(t ledger.Transition) []ddl.Statement {
	var list []ddl.Statement
	for i, k := range t.Definition.ForeignKeys {
		key, name := foreignKey(t, i, targetSide)
		list = append(list, ddl.RenameConstraint(key.Table, name, k.Name))
	}
	return list
}
