package scratch

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/postgres"
)

// Database is a server with one database that nobody else uses.
type Database struct{ server *postgres.Server }

// Open starts a server. The log receives announcements of slow things, such as
// a download; nil discards them.
func Open(ctx context.Context, log io.Writer) (*Database, error) {
	server, err := postgres.Start(ctx, postgres.Config{
		Private: true,
		Log:     log,
		Parameters: map[string]string{
			"max_connections": "10",
			"shared_buffers":  "16MB",
			"autovacuum":      "off",
			"wal_level":       "minimal",
			"max_wal_senders": "0",
		},
	})
	if err != nil {
		return nil, fmt.Errorf("start a throw-away PostgreSQL: %w", err)
	}
	return &Database{server}, nil
}

// Close stops the server and removes it with all it has. It can be repeated.
func (d *Database) Close() error { return d.server.Stop() }

// Connect opens a connection.
func (d *Database) Connect(ctx context.Context) (*pgx.Conn, error) {
	return pgx.Connect(ctx, d.server.URL(""))
}

// Load runs the files in their order on a session of their own, then makes an
// empty ledger, whatever the files say of one. The notes tell what was left out.
func (d *Database) Load(ctx context.Context, files []File) (notes []string, err error) {
	conn, err := d.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	for _, file := range files {
		more, err := load(ctx, conn, file)
		notes = append(notes, more...)
		if err != nil {
			return notes, err
		}
	}
	// A dump may bring a ledger along, without its rows.
	if _, err := conn.Exec(ctx, `reset all; drop schema if exists crossfade cascade`); err != nil {
		return notes, fmt.Errorf("make room for a ledger: %w", err)
	}
	return notes, ledger.Migrate(ctx, conn, nil)
}
