package migrator

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Migrator moves transitions in one database. Its methods may be called one
// after the other or at the same time; of those that change something only one
// works at a time in a database, the others return ErrAnotherMigrator.
//
// A method that changes something returns where the transition stands also
// together with an error, as far as it is known.
type Migrator struct {
	config   Config
	conn     *pgx.ConnConfig
	measured *instruments
}

// New returns a Migrator for the database that conn leads to, and connects to
// nothing yet. The connection must lead to a primary directly, not through a
// pooler. The role must own the tables in transition, be allowed to create a
// schema, and should be a member of pg_read_all_stats, so that it can see what
// a session does that holds up a drain.
func New(conn *pgx.ConnConfig, c Config) (*Migrator, error) {
	if conn == nil {
		return nil, errors.New("new migrator: no connection config")
	}
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("new migrator: %w", err)
	}
	measured, err := newInstruments(c.MeterProvider)
	if err != nil {
		return nil, fmt.Errorf("new migrator: %w", err)
	}
	return &Migrator{config: c.withDefaults(), conn: conn.Copy(), measured: measured}, nil
}
