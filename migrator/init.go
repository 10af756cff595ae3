package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// InitOptions says who may join.
type InitOptions struct {
	// GrantTo lists the roles that applications connect as; empty means PUBLIC.
	GrantTo []string
}

// Init creates the ledger, or brings it up to date. It can be repeated.
func (m *Migrator) Init(ctx context.Context, o InitOptions) error {
	return m.lead(ctx, func(s *session) error { return ledger.Migrate(ctx, s.conn, o.GrantTo) })
}
