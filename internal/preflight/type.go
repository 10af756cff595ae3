package preflight

import (
	"context"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// checkType refuses types with which a target could not be added as an empty
// column in an instant: PostgreSQL fills rows that exist with a type's default,
// and rewrites the table for a domain with constraints.
func checkType(ctx context.Context, in *inspection) error {
	// The target of a rename has the type of its source.
	columns := in.targets
	if in.Move.Kind == transform.Rename {
		columns = in.sources
	}
	for _, c := range columns {
		if err := in.checkTypeOf(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (in *inspection) checkTypeOf(ctx context.Context, c column) error {
	types, err := query[struct {
		Name        string
		Default     string
		Constrained bool
	}](ctx, in, `
		with recursive chain as (
			select t.* from pg_type t where t.oid = $1
			union all
			select t.* from chain c join pg_type t on t.oid = c.typbasetype)
		select format_type(oid, null), coalesce(typdefault, ''),
			typnotnull or exists (select from pg_constraint k where k.contypid = chain.oid)
		from chain`, c.TypeOID)
	if err != nil {
		return fmt.Errorf("read type: %w", err)
	}
	for _, t := range types {
		if t.Constrained {
			in.refuse("domain-constraint", in.columnName(c.Name), "its domain "+t.Name+" has constraints: adding a column of it rewrites the table",
				"move the constraints to the column first: alter column ... type base_type, add constraint ... not valid")
		}
		if t.Default != "" {
			in.refuse("type-default", in.columnName(c.Name), "its type "+t.Name+" has a default of its own, which the target would get in every row",
				"move the default to the column first: alter domain ... drop default, alter column ... set default ...")
		}
	}
	return nil
}
