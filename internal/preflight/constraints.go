package preflight

import (
	"context"
	"fmt"
	"time"
)

// excludeTime is what a row costs in the build of a GiST index over a range, on
// PostgreSQL 15. One of btree costs a twentieth.
const excludeTime = 20 * time.Microsecond

// checkConstraints lists the constraints that do not move along. UNIQUE moves
// with its index, CHECK as checkDependents says; NOT NULL is the column's own;
// foreign keys have a check of their own.
func checkConstraints(ctx context.Context, in *inspection) error {
	constraints, err := query[struct {
		Kind, Name, Table, Definition string
		Validated, Exclusion          bool
		Rows                          int64
	}](ctx, in, `
		select contype::text, quote_ident(conname), conrelid::regclass::text, pg_get_constraintdef(oid), convalidated,
			exists (select from pg_index x where x.indexrelid = conindid and x.indisexclusion),
			(select greatest(reltuples, 0)::bigint from pg_class where oid = conrelid)
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
			in.refuse("exclusion-depends", object, fmt.Sprintf("it reads the source, and PostgreSQL adds one only under a lock that "+
				"stops reads and writes until it is built, for up to %s with about %d rows: %s",
				max(time.Duration(c.Rows)*excludeTime, 10*time.Millisecond).Round(10*time.Millisecond), c.Rows, c.Definition),
				"drop it for the time of the transition, and add it over the target in a quiet hour after contract")
		case c.Kind == "n" && !c.Validated:
			in.refuse("not-null-not-valid", object, "rows that exist may still be NULL, so the target could not get it",
				"run alter table ... validate constraint first")
		}
	}
	return nil
}
