package dependents

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Index is the kind of a secondary index or a UNIQUE constraint. What becomes of
// it is the business of others; here it is compared.
const Index = "index"

func listIndexes(ctx context.Context, db Querier, c Columns) ([]object, error) {
	found, err := query[struct{ Name, Definition string }](ctx, db, c, `
		select i.relname, pg_get_indexdef(x.indexrelid)
		from pg_index x
		join pg_class i on i.oid = x.indexrelid
		left join pg_constraint k on k.conindid = x.indexrelid and k.conrelid = x.indrelid
		where x.indrelid = (select attrelid from col limit 1) and not x.indisprimary and not x.indisexclusion and x.indisvalid
			and exists (select from dep where dep.classid = 'pg_class'::regclass and dep.objid = x.indexrelid
				or dep.classid = 'pg_constraint'::regclass and dep.objid = k.oid)
		order by 1`)
	var objects []object
	for _, x := range found {
		objects = append(objects, object{c.on(Index, x.Name, x.Definition), nothing})
	}
	return objects, err
}

// nothing is the plan where there is nothing to do here.
func nothing(context.Context, *Planner, *ledger.Dependent) error { return nil }
