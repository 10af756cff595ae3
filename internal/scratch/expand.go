package scratch

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Expand makes of a table what it is before reads move to the targets: it has
// them, with the counterparts of the sources' indexes and constraints, and the
// phase's token stands ready under the name given.
func Expand(ctx context.Context, conn *pgx.Conn, table ddl.Name, d ledger.Definition, token string) error {
	var statements []ddl.Statement
	for _, target := range d.Targets {
		exists, err := ddl.ColumnExists(ctx, conn, table, target.Name)
		if err != nil {
			return err
		}
		if !exists {
			statements = append(statements, ddl.AddColumn(table, target.Name, target.Type, target.Collation))
		}
		if target.NotNull {
			statements = append(statements, ddl.SetNotNull(table, target.Name))
		}
	}
	indexes := d.Indexes
	if k := d.PrimaryKey; k != nil {
		indexes = append([]ledger.Index{{Target: k.Target, Create: k.Create}}, indexes...)
	}
	for _, index := range indexes {
		state, err := ddl.ReadIndex(ctx, conn, table, index.Target)
		if err != nil {
			return err
		}
		if state != ddl.IndexMissing {
			continue
		}
		statements = append(statements, ddl.CreateIndexConcurrently(table, index.Create))
		if index.TargetConstraint != "" {
			statements = append(statements, ddl.AddUniqueUsingIndex(table, index.TargetConstraint, index.Target))
		}
	}
	for _, s := range statements {
		if err := (ddl.Runner{}).Run(ctx, conn, s); err != nil {
			return err
		}
	}
	_, err := conn.Exec(ctx, "create table "+pgx.Identifier{ledger.Schema, token}.Sanitize()+" ()")
	return err
}
