package preflight

import (
	"context"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// checkSetNotNull reads the column that is to be NOT NULL, and what the rows get
// in which it is NULL.
func checkSetNotNull(ctx context.Context, in *inspection) error {
	asked := in.Alteration.Column
	c, found := in.existing(asked.Name)
	if !found {
		return nil
	}
	if c.NotNull {
		in.refuse("already-not-null", in.columnName(c.Name), "it is NOT NULL already", "there is nothing to do")
		return nil
	}
	in.warn("nulls-refused", in.columnName(c.Name), "from the step constrain on, writes that leave it NULL fail",
		"deploy an application first that writes it always, or give the column a default")
	own, err := query[struct{ Table string }](ctx, in, `
		select attrelid::regclass::text from pg_attribute where attrelid = any($1) and attname = $2 and attnotnull order by 1`, in.tree(), c.Name)
	if err != nil {
		return fmt.Errorf("read columns of partitions: %w", err)
	}
	for _, p := range own {
		in.warn("partition-not-null", "column "+p.Table+"."+c.Name, "it is NOT NULL in this partition already: a rollback makes it nullable there, too",
			"after a rollback, set it NOT NULL there again")
	}
	constrained := c.vocabulary()
	a := ledger.Alteration{Column: &constrained, Violated: "t." + ident(c.Name) + " is null"}
	if asked.Value != "" {
		if c.Generated {
			in.refuse("generated", in.columnName(c.Name), "it is a generated column, which cannot be filled", "leave the value out")
			return nil
		}
		if constrained.Value, a.Columns, err = in.readValue(ctx, c, asked.Value); err != nil || constrained.Value == "" {
			return err
		}
		in.info("values-stay", in.columnName(c.Name), "a rollback takes the NOT NULL away, but not the values that rows have got", "")
	}
	in.alters(a)
	return nil
}
