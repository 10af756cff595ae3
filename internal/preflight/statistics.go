package preflight

import (
	"context"
	"fmt"
)

func checkStatistics(ctx context.Context, in *inspection) error {
	statistics, err := query[struct{ Name string }](ctx, in, `
		select quote_ident(n.nspname) || '.' || quote_ident(s.stxname)
		from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
		where s.oid = any($1) order by 1`, in.of("pg_statistic_ext"))
	if err != nil {
		return fmt.Errorf("read extended statistics: %w", err)
	}
	for _, s := range statistics {
		in.refuse("statistics-depend", "statistics "+s.Name, "it is about the source, and is dropped with it",
			"create its twin on the target once the backfill is done, and accept statistics-depend")
	}
	return nil
}
