package dependents

import (
	"context"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// policy is one of row level security, of the table or of another whose
// condition looks into it.
type policy struct {
	Schema, Relation, Name string
	Using, WithCheck       string
	Owned                  bool
}

func listPolicies(ctx context.Context, db Querier, c Columns) ([]object, error) {
	policies, err := query[policy](ctx, db, c, `
		select n.nspname, t.relname, p.polname, coalesce(pg_get_expr(p.polqual, p.polrelid), ''),
			coalesce(pg_get_expr(p.polwithcheck, p.polrelid), ''), pg_has_role(t.relowner, 'usage')
		from pg_policy p
		join pg_class t on t.oid = p.polrelid
		join pg_namespace n on n.oid = t.relnamespace
		where exists (select from dep where dep.classid = 'pg_policy'::regclass and dep.objid = p.oid)
		order by 1, 2, 3`)
	var objects []object
	for _, p := range policies {
		objects = append(objects, object{
			ledger.Dependent{Kind: Policy, Schema: p.Schema, Relation: p.Relation, Name: p.Name, Definition: p.text()}, p.plan,
		})
	}
	return objects, err
}

// text are the conditions, as ALTER POLICY takes them.
func (y policy) text() string {
	var parts []string
	if y.Using != "" {
		parts = append(parts, "using ("+y.Using+")")
	}
	if y.WithCheck != "" {
		parts = append(parts, "with check ("+y.WithCheck+")")
	}
	return strings.Join(parts, " ")
}

func (y policy) plan(ctx context.Context, p *Planner, d *ledger.Dependent) error {
	if !y.Owned {
		return &Refusal{Code: "policy-depends", Message: "it reads the source, and the role of the migrator may not alter it",
			Hint: "make the migrator a member of the role that owns the table"}
	}
	table := ddl.Name{Schema: y.Schema, Table: y.Relation}
	over := y
	for _, condition := range []*string{&over.Using, &over.WithCheck} {
		if *condition == "" {
			continue
		}
		var err error
		if *condition, err = p.condition(ctx, "policy-depends", table.String(), *condition); err != nil {
			return err
		}
	}
	d.Changes = map[string]ledger.Change{StepRelease: change(
		[]ddl.Statement{ddl.AlterPolicy(table, y.Name, over.text())},
		[]ddl.Statement{ddl.AlterPolicy(table, y.Name, y.text())})}
	return nil
}
