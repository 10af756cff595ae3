package preflight

import (
	"context"
	"fmt"
)

func checkEventTriggers(ctx context.Context, in *inspection) error {
	triggers, err := query[struct{ Name, Event string }](ctx, in,
		`select quote_ident(evtname), evtevent from pg_event_trigger where evtenabled <> 'D' order by 1`)
	if err != nil {
		return fmt.Errorf("read event triggers: %w", err)
	}
	for _, t := range triggers {
		in.warn("event-trigger", "event trigger "+t.Name, "it fires at "+t.Event+", for the DDL of the transition too",
			"look whether it lets the DDL of the plan pass, and quickly")
	}
	return nil
}
