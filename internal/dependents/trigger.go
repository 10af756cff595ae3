package dependents

import (
	"context"
	"slices"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// trigger is one whose column list or condition names a source. From dualwrite to
// contract its list names both sides: a write of both fires it once, and whoever
// writes one side alone fires it too. Its condition reads the sources until just
// before complete, and the targets from then on.
type trigger struct {
	Name, Create, Enabled, Comment string
	Columns                        []string
}

// listTriggers leaves out that of crossfade itself.
func listTriggers(ctx context.Context, db Querier, c Columns) ([]object, error) {
	triggers, err := query[trigger](ctx, db, c, `
		select t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text, coalesce(obj_description(t.oid, 'pg_trigger'), ''),
			array(select a.attname::text from unnest(t.tgattr::int2[]) with ordinality as k (num, place)
				join pg_attribute a on a.attrelid = t.tgrelid and a.attnum = k.num order by k.place)
		from pg_trigger t
		where not t.tgisinternal and t.tgname !~ '^(zzzz_)?crossfade_' and exists (select from dep where dep.classid = 'pg_trigger'::regclass and dep.objid = t.oid)
		order by 1`)
	var objects []object
	for _, t := range triggers {
		// Without the list, which changes on the way.
		parsed := rewrite.ParseTrigger(t.Create)
		definition := parsed.With(nil, parsed.Condition)
		if further := ddl.EnableTrigger(c.Table, t.Name, t.Enabled); further != "" {
			definition += "; " + further
		}
		objects = append(objects, object{c.on(Trigger, t.Name, definition), t.plan})
	}
	return objects, err
}

func (t trigger) plan(ctx context.Context, p *Planner, d *ledger.Dependent) error {
	parsed := rewrite.ParseTrigger(t.Create)
	condition := parsed.Condition
	if condition != "" {
		var err error
		table := p.Table.String()
		if condition, err = p.condition(ctx, "trigger-depends", table+" old, "+table+" new", condition); err != nil {
			return err
		}
	}
	replace := func(columns []string, condition string) []ddl.Statement {
		var further []string
		if enable := ddl.EnableTrigger(p.Table, t.Name, t.Enabled); enable != "" {
			further = append(further, enable)
		}
		if t.Comment != "" {
			further = append(further, ddl.CommentOnTrigger(p.Table, t.Name, t.Comment))
		}
		return []ddl.Statement{ddl.ReplaceTrigger(p.Table, t.Name, parsed.With(columns, condition), further...)}
	}
	both, targets := t.lists(p)
	d.Changes = map[string]ledger.Change{}
	if len(both) > len(t.Columns) {
		d.Changes[StepConstrain] = change(replace(both, parsed.Condition), replace(t.Columns, parsed.Condition))
		d.Changes[StepSettle] = change(replace(targets, condition), replace(both, condition))
	}
	if condition != parsed.Condition {
		d.Changes[StepRelease] = change(replace(both, condition), replace(both, parsed.Condition))
	}
	return nil
}

// lists are the column lists with both sides, and with the targets alone.
func (t trigger) lists(p *Planner) (both, targets []string) {
	both = slices.Clone(t.Columns)
	targets = slices.DeleteFunc(slices.Clone(t.Columns), func(name string) bool { return contains(p.Move.Sources, name) })
	if len(targets) < len(both) {
		both = append(both, p.Move.TargetNames()...)
		targets = append(targets, p.Move.TargetNames()...)
	}
	return both, targets
}
