package preflight

import (
	"context"
	"fmt"
)

// checkViews lists the materialized views and rules that read the source, which
// cannot be replaced in their place; and the views of every kind that show whole
// rows of the table, so that they would show the target too.
func checkViews(ctx context.Context, in *inspection) error {
	rules, err := query[struct {
		Kind, Name, Rule string
		WholeRow         bool
	}](ctx, in, `
		select c.relkind::text, c.oid::regclass::text, r.rulename, not r.oid = any($2)
		from pg_rewrite r join pg_class c on c.oid = r.ev_class
		where r.ev_class <> $1 and (r.oid = any($2) or r.ev_action::text like '%:varattno 0 %' and exists (
			select from pg_depend d
			where d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass and d.refobjid = $1))
		order by 2, 3`, in.table.OID, in.of("pg_rewrite"))
	if err != nil {
		return fmt.Errorf("read views: %w", err)
	}
	for _, r := range rules {
		hint := "drop it, or define it without the column, and make it again over the target after contract"
		message := "it reads the source, whatever the phase"
		if r.WholeRow {
			message = "it reads whole rows of the table, so it would show the target as well"
		}
		switch r.Kind {
		case "v":
			switch { // checkDependents sees to the others
			case r.WholeRow:
				in.refuse("view-depends", "view "+r.Name, message, hint)
			case r.Rule != "_RETURN":
				in.refuse("rule-depends", "rule "+r.Rule+" on view "+r.Name, message, "replace the rule by an INSTEAD OF trigger")
			}
		case "m":
			if r.WholeRow {
				in.refuse("view-depends", "materialized view "+r.Name, message, hint)
				continue
			}
			in.refuse("materialized-view-depends", "materialized view "+r.Name, message+", and PostgreSQL cannot replace its query",
				"drop it before the start and make it again over the target after contract; or make one over the target between live "+
					"and complete, drop this one then (drop materialized view "+r.Name+"), and accept materialized-view-depends")
		default:
			in.refuse("rule-depends", "rule "+r.Rule+" on table "+r.Name, message, "replace the rule by a trigger")
		}
	}
	return nil
}
