package preflight

import (
	"context"
	"fmt"
)

// checkSubscriptions: an apply worker writes the source alone, and cannot
// embed the hook.
func checkSubscriptions(ctx context.Context, in *inspection) error {
	subscriptions, err := query[struct{ Name string }](ctx, in, `
		select quote_ident(s.subname) from pg_subscription_rel r join pg_subscription s on s.oid = r.srsubid
		where r.srrelid = $1 order by 1`, in.table.OID)
	if err != nil {
		return fmt.Errorf("read subscriptions: %w", err)
	}
	for _, s := range subscriptions {
		in.refuse("subscription-writes", "subscription "+s.Name, "it writes the table, below every hook",
			"move the column on the publisher, or take the table out of the subscription first")
	}
	return nil
}
