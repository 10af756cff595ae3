package explain

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

// Ready tells whether plans can be compared in a database in which a transition
// is under way: the targets must exist, and until the flip to shadow, before
// which they are built, their indexes too. Later, an index that is missing is
// what the comparison is there to find. The reason says what is not ready.
func Ready(ctx context.Context, conn *pgx.Conn, t fence.Member) (reason string, err error) {
	if t.ID == 0 {
		return "the transition has not begun in this database: give the schema with --schema to look at plans in a throw-away database", nil
	}
	table := ddl.Name{Schema: t.Schema, Table: t.Table}
	for _, target := range t.Definition.Targets {
		exists, err := ddl.ColumnExists(ctx, conn, table, target.Name)
		if err != nil {
			return "", err
		}
		if !exists {
			return fmt.Sprintf("the target %s does not exist yet: wait for step index, or use --schema", target.Name), nil
		}
	}
	for _, source := range t.Definition.Sources {
		exists, err := ddl.ColumnExists(ctx, conn, table, source.Name)
		if err != nil {
			return "", err
		}
		if !exists {
			return fmt.Sprintf("the source %s does not exist any more, so there is no plan to compare with", source.Name), nil
		}
	}
	if !t.Phase.Before(phase.Shadow) {
		return "", nil
	}
	for _, index := range t.Definition.Indexes {
		state, err := ddl.ReadIndex(ctx, conn, table, index.Target)
		if err != nil {
			return "", err
		}
		if state != ddl.IndexValid {
			return fmt.Sprintf("index %s, the counterpart of %s, is not built yet: wait for step index, or use --schema", index.Target, index.Name), nil
		}
	}
	return "", nil
}
