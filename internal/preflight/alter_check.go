package preflight

import (
	"context"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// checkAddCheck reads a CHECK constraint.
func checkAddCheck(ctx context.Context, in *inspection) error {
	asked := in.Alteration
	object := in.constraintName(asked.Constraint)
	free, err := in.constraintFree(ctx, asked.Constraint)
	if err != nil || !free {
		return err
	}
	read, err := in.readCondition(ctx, object, asked.Body)
	if err != nil || read.Text == "" {
		return err
	}
	refused, err := in.generate(ctx, rowsOnTrial, "boolean", read.Text)
	if err != nil {
		return err
	}
	if refused != nil && refused.Code == notImmutable {
		in.warn("check-not-immutable", object, "what it says depends on the session or on the moment: a row that satisfies it today may not tomorrow, "+
			"and then a dump cannot be restored", "make it depend on the columns alone")
	}
	in.alters(ledger.Alteration{
		Columns: read.Columns, Constraint: asked.Constraint, Body: read.Body, Violated: "(" + read.Text + ") is false",
	})
	return nil
}

func (in *inspection) constraintName(name string) string {
	return "constraint " + name + " on " + in.tableName()
}

// constraintFree tells whether neither the table nor a partition has a constraint
// of that name; otherwise it has refused.
func (in *inspection) constraintFree(ctx context.Context, name string) (bool, error) {
	found, err := query[struct{ Table, Definition string }](ctx, in,
		`select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint where conrelid = any($1) and conname = $2 order by conrelid <> $3, 1`,
		in.tree(), name, in.table.OID)
	if err != nil {
		return false, fmt.Errorf("read constraints: %w", err)
	}
	if len(found) > 0 {
		in.refuse("name-taken", "constraint "+name+" on table "+found[0].Table, "it exists already: "+found[0].Definition, "choose another name")
	}
	return len(found) == 0, nil
}
