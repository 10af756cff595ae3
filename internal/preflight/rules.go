package preflight

import (
	"context"
	"fmt"
)

// checkRules: a statement that carries a token in a WITH clause fails on a
// table with rules.
func checkRules(ctx context.Context, in *inspection) error {
	rules, err := query[struct{ Name string }](ctx, in,
		`select rulename from pg_rewrite where ev_class = $1 and rulename <> '_RETURN' order by 1`, in.table.OID)
	if err != nil {
		return fmt.Errorf("read rules: %w", err)
	}
	for _, rule := range rules {
		in.refuse("rule-on-table", "rule "+rule.Name+" on "+in.tableName(),
			"PostgreSQL does not run rewritten statements on a table with rules", "replace the rule by a trigger")
	}
	return nil
}
