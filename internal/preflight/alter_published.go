package preflight

import (
	"context"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// checkAlteredPublished: logical replication goes by the names of columns, on
// either side of it.
func checkAlteredPublished(ctx context.Context, in *inspection) error {
	a := in.alteration()
	if in.Move.Kind != ledger.AddColumn && in.Move.Kind != ledger.DropColumn {
		return nil
	}
	publications, err := query[struct {
		Name string
		All  bool // of its columns
	}](ctx, in, `
		select quote_ident(t.pubname), not coalesce(to_jsonb(t) ? 'attnames', false) or cardinality(array(
			select a.attname from pg_attribute a where a.attrelid = $3 and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
				and not to_jsonb(t) -> 'attnames' ? a.attname)) = 0
		from pg_publication_tables t where t.schemaname = $1 and t.tablename = $2 order by 1`, in.Schema, in.Table, in.table.OID)
	if err != nil {
		return fmt.Errorf("read publications: %w", err)
	}
	for _, p := range publications {
		switch {
		case !p.All: // the dependents of a column show whether it is among those
		case in.Move.Kind == ledger.AddColumn:
			in.warn("table-published", "publication "+p.Name, "it publishes the table: a subscriber without the column stops at the first change",
				"add the column on every subscriber first")
		default:
			in.refuse("table-published", "publication "+p.Name, "it publishes the table: a subscriber does not have the name that the column bears until contract, and stops at the first change",
				"publish the table without the column first (a column list, from PostgreSQL 15 on)")
		}
	}
	if in.Move.Kind == ledger.AddColumn {
		return nil
	}
	subscriptions, err := query[struct{ Name string }](ctx, in, `
		select pg_describe_object('pg_subscription'::regclass, srsubid, 0) from pg_subscription_rel
		where srrelid = $1 order by 1`, in.table.OID)
	if err != nil {
		return fmt.Errorf("read subscriptions: %w", err)
	}
	for _, s := range subscriptions {
		in.refuse("subscription-writes", s.Name, "it writes column "+a.Column.Name+", and stops when the column does not bear its name any more",
			"drop the column on the publisher first")
	}
	return nil
}
