package dependents

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// identity is an index over a source that is the replica identity of the table.
type identity struct {
	Index string
}

func listIdentity(ctx context.Context, db Querier, c Columns) ([]object, error) {
	found, err := query[identity](ctx, db, c, `
		select i.relname
		from pg_index x
		join pg_class i on i.oid = x.indexrelid
		where x.indisreplident and not x.indisprimary and x.indrelid = (select attrelid from col limit 1)
			and exists (select from col where col.attnum = any(x.indkey::int2[]))`)
	var objects []object
	for _, i := range found {
		objects = append(objects, object{c.on(ReplicaIdentity, "", i.Index), i.plan})
	}
	return objects, err
}

// plan: the counterpart must hold plain columns that are NOT NULL.
func (i identity) plan(_ context.Context, p *Planner, d *ledger.Dependent) error {
	target, ok := p.pair()
	if !ok || !target.NotNull || !p.Move.Identity() {
		return &Refusal{Code: "replica-identity", Message: "an index over the source, " + i.Index + ", is the replica identity of the table, and has no counterpart that could be",
			Hint: "run alter table ... replica identity default"}
	}
	for _, index := range p.Indexes {
		if index.Name != i.Index {
			continue
		}
		name := index.Target
		if index.TargetConstraint != "" {
			name = index.TargetConstraint
		}
		d.Changes = map[string]ledger.Change{StepRelease: change(
			[]ddl.Statement{ddl.ReplicaIdentity(p.Table, name)},
			[]ddl.Statement{ddl.ReplicaIdentity(p.Table, i.Index)})}
	}
	return nil
}
