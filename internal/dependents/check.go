package dependents

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// check is a CHECK constraint. Its counterpart stands beside it while both sides
// are kept; from complete on it would judge what nobody writes any more.
type check struct {
	Name, Definition, Condition, Comment string
	Unchecked, Unenforced, Local         bool
}

// listChecks leaves out those that crossfade itself puts on a table for a time.
func listChecks(ctx context.Context, db Querier, c Columns) ([]object, error) {
	checks, err := query[check](ctx, db, c, `
		select k.conname, pg_get_constraintdef(k.oid), pg_get_expr(k.conbin, k.conrelid), coalesce(obj_description(k.oid, 'pg_constraint'), ''),
			not k.convalidated, coalesce((to_jsonb(k) ->> 'conenforced')::bool, true) = false, k.connoinherit
		from pg_constraint k
		where k.contype = 'c' and k.conrelid = (select attrelid from col limit 1) and k.conname !~ '^crossfade_t[0-9]+_'
			and (exists (select from col where col.attnum = any(k.conkey))
				or exists (select from dep where dep.classid = 'pg_constraint'::regclass and dep.objid = k.oid))
		order by 1`)
	var objects []object
	for _, k := range checks {
		objects = append(objects, object{c.on(Check, k.Name, k.Definition), k.plan})
	}
	return objects, err
}

func (k check) plan(ctx context.Context, p *Planner, d *ledger.Dependent) error {
	if p.Move.Loses(transform.Forward) {
		return &Refusal{Code: "check-depends", Message: "it reads the source, and forward is lossy, so that it would judge what comes back " +
			"from the target: " + k.Definition,
			Hint: "drop it for the time of the transition, and add one over the target (not valid, then validate) after contract"}
	}
	if k.Unenforced {
		return &Refusal{Code: "check-depends", Message: "it reads the source, and is not enforced: " + k.Definition,
			Hint: "drop it, and add it over the target after contract"}
	}
	condition, err := p.condition(ctx, "check-depends", p.Table.String(), k.Condition)
	if err != nil {
		return err
	}
	if d.Counterpart, err = p.FreeName(ctx, d.Schema, k.Name); err != nil {
		return err
	}
	d.Changes = map[string]ledger.Change{
		StepConstrain: k.add(p.Table, d.Counterpart, condition),
		StepRelease:   inverse(k.add(p.Table, k.Name, k.Condition)),
	}
	return nil
}

// add makes a CHECK of that name, and takes it away.
func (k check) add(table ddl.Name, name, condition string) ledger.Change {
	rule := "check (" + condition + ")"
	if k.Local {
		rule += " no inherit"
	}
	do := []ddl.Statement{ddl.ReplaceCheck(table, name, rule)}
	if !k.Unchecked {
		do = append(do, ddl.ValidateConstraint(table, name))
	}
	if k.Comment != "" {
		do = append(do, ddl.CommentOn(table, "constraint", name, k.Comment))
	}
	c := change(do, []ddl.Statement{ddl.DropConstraint(table, name)})
	c.Do[0].Unless = name
	if !k.Unchecked {
		c.Do[1].Validates = name
	}
	return c
}

func inverse(c ledger.Change) ledger.Change { return ledger.Change{Do: c.Undo, Undo: c.Do} }
