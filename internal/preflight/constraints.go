package preflight

import (
	"context"
	"fmt"
)

// checkConstraints lists the constraints that do not move along. UNIQUE moves
// with its index, CHECK as checkDependents says; NOT NULL is the column's own;
// foreign keys have a check of their own.
func checkConstraints(ctx context.Context, in *inspection) error {
	constraints, err := query[struct {
		Kind, Name, Table, Definition string
		Validated, Exclusion          bool
	}](ctx, in, `
		select contype::text, quote_ident(conname), conrelid::regclass::text, pg_get_constraintdef(oid), convalidated,
			exists (select from pg_index x where x.indexrelid = conindid and x.indisexclusion)
		from pg_constraint
		where conrelid = $1 and $2::int2[] && conkey or contype <> 'f' and oid = any($3)
		order by 3, 2`, in.table.OID, in.numbers(), in.of("pg_constraint"))
	if err != nil {
		return fmt.Errorf("read constraints: %w", err)
	}
	for _, c := range constraints {
		object := "constraint " + c.Name + " on table " + c.Table
		switch {
		case c.Kind == "x" || c.Kind == "u" && c.Exclusion:
			in.refuse("exclusion-depends", object, "it reads the source: "+c.Definition, "PostgreSQL can neither build one beside the traffic "+
				"nor add one without a scan under its lock: drop it for the time of the transition, and add it over the target in a quiet hour after contract")
		case c.Kind == "n" && !c.Validated:
			in.refuse("not-null-not-valid", object, "rows that exist may still be NULL, so the target could not get it",
				"run alter table ... validate constraint first")
		}
	}
	return nil
}
