package preflight

import (
	"context"
	"fmt"
	"slices"
)

// checkSequences: a sequence that the source owns would go away with it.
func checkSequences(ctx context.Context, in *inspection) error {
	sequences, err := query[struct{ Name string }](ctx, in,
		`select oid::regclass::text from pg_class where oid = any($1) and relkind = 'S' order by 1`, in.of("pg_class"))
	if err != nil {
		return fmt.Errorf("read sequences: %w", err)
	}
	for _, s := range sequences {
		if slices.ContainsFunc(in.sources, func(c column) bool { return c.Identity }) {
			break // refused as such
		}
		in.refuse("source-serial", "sequence "+s.Name, "the source owns it (serial): it would be dropped with the source",
			"run `alter sequence "+s.Name+" owned by none` first, and give it to the target after contract")
	}
	return nil
}
