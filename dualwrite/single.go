package dualwrite

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Connect is pgx.ConnectConfig with the hook, for a connection outside of a pool: a
// job's, or a listener's. config stays as it is, and also serves the connections that
// Run makes for itself, without AfterConnect and Tracer. ErrExecMode and
// ErrReplication say what cannot be hooked.
//
// Nobody replaces the connection when its epoch has passed. A drain waits for it, and
// fences it when it is idle for longer than the migrator's grace: IsStalePhase is then
// the end of it, and the caller connects anew.
func (h *Hook) Connect(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	base := config.Copy()
	s := &source{hook: h, connect: pgx.ConnectConfig, config: func(context.Context) (*pgx.ConnConfig, error) { return base.Copy(), nil }}
	wired := config.Copy()
	if err := s.wire(wired); err != nil {
		return nil, err
	}
	return pgx.ConnectConfig(ctx, wired)
}
