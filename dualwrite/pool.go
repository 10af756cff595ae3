package dualwrite

import (
	"context"
	"weak"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// NewPool makes a pool with the hook in it: Install, pgxpool.NewWithConfig and
// Attach. It changes config, which must not be used for another pool.
func (h *Hook) NewPool(ctx context.Context, config *pgxpool.Config) (*pgxpool.Pool, error) {
	if err := h.Install(config); err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	h.Attach(pool)
	return pool, nil
}

// Install puts the hook into a pool's configuration. The application's own
// callbacks go on being called: BeforeConnect before the hook's, the others
// once the connection has joined, so that their SQL is rewritten too. The
// ConnConfig itself stays as it is: who opens connections with it outside of
// the pool opens them without the hook.
//
// BeforeConnect and ConnConfig also serve the connections that Run makes for
// itself; of ConnConfig's callbacks, those do without AfterConnect and Tracer.
//
// ErrExecMode and ErrReplication say what cannot be hooked. The pool should be
// given to Attach.
func (h *Hook) Install(config *pgxpool.Config) error {
	if err := check(config.ConnConfig); err != nil {
		return err
	}
	before := config.BeforeConnect
	base := config.ConnConfig
	s := &source{hook: h, connect: pgx.ConnectConfig, config: func(ctx context.Context) (*pgx.ConnConfig, error) {
		c := base.Copy()
		if before != nil {
			if err := before(ctx, c); err != nil {
				return nil, err
			}
		}
		return c, nil
	}}
	config.BeforeConnect = func(ctx context.Context, c *pgx.ConnConfig) error {
		if before != nil {
			if err := before(ctx, c); err != nil {
				return err
			}
		}
		return s.wire(c)
	}
	config.AfterConnect = h.poolAfterConnect(config.AfterConnect)
	prepare := config.PrepareConn
	acquire := config.BeforeAcquire //nolint:staticcheck // deprecated, but applications use it
	if prepare == nil && acquire != nil {
		// pgxpool ignores it from now on.
		prepare = func(ctx context.Context, conn *pgx.Conn) (bool, error) { return acquire(ctx, conn), nil }
	}
	config.PrepareConn = h.poolPrepareConn(prepare)
	closing := config.BeforeClose
	config.BeforeClose = func(conn *pgx.Conn) {
		if c := connOf(conn.PgConn()); c != nil {
			h.unregister(c)
		}
		if closing != nil {
			closing(conn)
		}
	}
	// AfterRelease is left alone: pgxpool starts a goroutine for it at each
	// release. A connection that is outdated when it comes back is found by
	// PrepareConn or by Run.
	return nil
}

// Attach lets Run recycle the pool's idle connections. The hook keeps no pool
// alive.
func (h *Hook) Attach(pool *pgxpool.Pool) {
	h.mu.Lock()
	h.pools = append(h.pools, weak.Make(pool))
	h.mu.Unlock()
	h.wake()
}

func (h *Hook) poolAfterConnect(after func(context.Context, *pgx.Conn) error) func(context.Context, *pgx.Conn) error {
	return func(ctx context.Context, conn *pgx.Conn) error {
		if connOf(conn.PgConn()) == nil {
			return ErrNotHooked
		}
		if after != nil {
			return after(ctx, conn)
		}
		return nil
	}
}

func (h *Hook) poolPrepareConn(prepare func(context.Context, *pgx.Conn) (bool, error)) func(context.Context, *pgx.Conn) (bool, error) {
	return func(ctx context.Context, conn *pgx.Conn) (bool, error) {
		c := connOf(conn.PgConn())
		if c == nil || !c.usable() {
			return false, nil
		}
		if isRecycling(ctx) {
			return true, nil
		}
		if prepare != nil {
			return prepare(ctx, conn)
		}
		return true, nil
	}
}
