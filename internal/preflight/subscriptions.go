package preflight

import (
	"context"
	"fmt"
)

// checkSubscriptions: an apply worker writes the source alone, and cannot
// embed the hook.
func checkSubscriptions(ctx context.Context, in *inspection) error {
	subscriptions, err := query[struct{ Name string }](ctx, in, `
		select pg_describe_object('pg_subscription'::regclass, srsubid, 0) from pg_subscription_rel
		where srrelid = any($1) order by 1`, in.tree())
	if err != nil {
		return fmt.Errorf("read subscriptions: %w", err)
	}
	for _, s := range subscriptions {
		in.refuse("subscription-writes", s.Name, "it writes the table, below every hook",
			"move the column on the publisher, or take the table out of the subscription first")
	}
	return nil
}
