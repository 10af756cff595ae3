package preflight

import (
	"context"
	"fmt"
)

func checkPolicies(ctx context.Context, in *inspection) error {
	policies, err := query[struct{ Name, Table string }](ctx, in,
		`select quote_ident(polname), polrelid::regclass::text from pg_policy where oid = any($1) order by 2, 1`, in.of("pg_policy"))
	if err != nil {
		return fmt.Errorf("read policies: %w", err)
	}
	for _, p := range policies {
		in.refuse("policy-depends", "policy "+p.Name+" on table "+p.Table, "it reads the source, whatever the phase",
			"make it do without the column, and make it again over the target after contract")
	}
	return nil
}
