package dualwrite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"slices"
	"weak"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// OpenDB is stdlib.OpenDB with the hook. The application's callbacks in config
// go on being called. ErrExecMode and ErrReplication say what cannot be hooked.
//
// config and stdlib.OptionBeforeConnect also serve the connections that Run makes
// for itself; those do without AfterConnect, Tracer and stdlib.OptionAfterConnect.
//
// sql.Conn.Raw gives a *Conn instead of a *stdlib.Conn. Code that needs the
// pgx connection asserts interface{ Conn() *pgx.Conn }, which both satisfy.
func (h *Hook) OpenDB(config pgx.ConnConfig, options ...stdlib.OptionOpenDB) (*sql.DB, error) {
	c, err := h.Connector(config, options...)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	h.AttachDB(db)
	return db, nil
}

// Connector is what OpenDB opens, for those who wrap it, as otelsql does. The
// *sql.DB that comes of it should be given to AttachDB. A wrapper's connections
// must pass on driver.Validator and driver.SessionResetter.
func (h *Hook) Connector(config pgx.ConnConfig, options ...stdlib.OptionOpenDB) (driver.Connector, error) {
	if err := check(&config); err != nil {
		return nil, err
	}
	bare := append(slices.Clone(options), stdlib.OptionAfterConnect(func(context.Context, *pgx.Conn) error { return nil }))
	return &connector{options: options, source: &source{
		hook:   h,
		config: func(context.Context) (*pgx.ConnConfig, error) { return config.Copy(), nil },
		connect: func(ctx context.Context, c *pgx.ConnConfig) (*pgx.Conn, error) {
			opened, err := stdlib.GetConnector(*c, bare...).Connect(ctx)
			if err != nil {
				return nil, err
			}
			return opened.(*stdlib.Conn).Conn(), nil
		},
	}}, nil
}

// AttachDB lets Run recycle the idle connections of a *sql.DB. The hook keeps
// none alive.
func (h *Hook) AttachDB(db *sql.DB) {
	h.mu.Lock()
	h.dbs = append(h.dbs, weak.Make(db))
	h.mu.Unlock()
	h.wake()
}

type connector struct {
	source  *source
	options []stdlib.OptionOpenDB
}

// Connect opens a connection and lets it join.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	config, err := c.source.config(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.source.wire(config); err != nil {
		return nil, err
	}
	opened, err := stdlib.GetConnector(*config, c.options...).Connect(ctx)
	if err != nil {
		return nil, err
	}
	std := opened.(*stdlib.Conn)
	state := connOf(std.Conn().PgConn())
	err = check(std.Conn().Config()) // OptionBeforeConnect may have changed it
	if state == nil {
		err = ErrNotHooked
	}
	if err != nil {
		_ = std.Close()
		return nil, err
	}
	return &Conn{stdConn: std, state: state}, nil
}

// Driver returns pgx's.
func (c *connector) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

// stdConn is embedded under another name than Conn, which is that of a method.
type stdConn = stdlib.Conn

// Conn is the driver's connection of a *sql.DB made by OpenDB. It is a
// *stdlib.Conn that database/sql replaces when its epoch has passed.
type Conn struct {
	*stdConn
	state *conn
}

var (
	_ driver.Validator       = (*Conn)(nil)
	_ driver.SessionResetter = (*Conn)(nil)
)

// IsValid is asked when a connection is given back, before somebody else gets
// it. Rejecting it here costs nobody an error.
func (c *Conn) IsValid() bool { return c.state.usable() }

// ResetSession is asked when a connection is taken that was used before.
// database/sql answers driver.ErrBadConn with another connection, but only
// three times: so it is for those that were idle when they became outdated;
// who waits for a busy connection gets one that IsValid has just accepted.
func (c *Conn) ResetSession(ctx context.Context) error {
	if isRecycling(ctx) {
		return nil // it goes straight back to IsValid
	}
	if !c.state.usable() {
		return driver.ErrBadConn
	}
	return c.stdConn.ResetSession(ctx)
}

// Close closes the connection.
func (c *Conn) Close() error {
	c.state.hook.unregister(c.state)
	return c.stdConn.Close()
}
