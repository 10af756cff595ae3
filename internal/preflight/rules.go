package preflight

import (
	"context"
	"fmt"
)

// checkRules: a statement that carries a token in a WITH clause fails on a
// table with rules.
func checkRules(ctx context.Context, in *inspection) error {
	rules, err := query[struct{ Name, Table string }](ctx, in,
		`select rulename, ev_class::regclass::text from pg_rewrite where ev_class = any($1) and rulename <> '_RETURN' order by 1, 2`, in.tree())
	if err != nil {
		return fmt.Errorf("read rules: %w", err)
	}
	for _, rule := range rules {
		in.refuse("rule-on-table", "rule "+rule.Name+" on table "+rule.Table,
			"PostgreSQL does not run rewritten statements on a table with rules", "replace the rule by a trigger")
	}
	return nil
}
