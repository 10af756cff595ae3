package migrator

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

var errSkeleton = errors.New("not there yet")

// Migrator moves transitions in one database. Its methods may be called one
// after the other or at the same time; of those that change something only one
// works at a time in a database, the others return ErrAnotherMigrator.
//
// A method that changes something returns where the transition stands also
// together with an error, as far as it is known.
type Migrator struct {
	config Config
	conn   *pgx.ConnConfig
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
	return &Migrator{config: c.withDefaults(), conn: conn.Copy()}, nil
}

// InitOptions says who may join.
type InitOptions struct {
	// GrantTo lists the roles that applications connect as; empty means PUBLIC.
	GrantTo []string
}

// Init creates the ledger, or brings it up to date. It can be repeated.
func (m *Migrator) Init(ctx context.Context, o InitOptions) error { return errSkeleton }

// Start checks a transition, registers it in phase off, and waits until every
// session that embeds the hook knows it and no other session is left. A
// *RefusedError lists what stands in the way. When it returned a *DrainError,
// or was interrupted, the transition is registered: Start with the same
// transition, Advance and Run all continue.
func (m *Migrator) Start(ctx context.Context, t Transition) (Position, error) {
	return Position{}, errSkeleton
}

// AdvanceOptions says how far to go.
type AdvanceOptions struct {
	// To is the phase to reach; empty means one step.
	To Phase
}

// Advance does the next step of a transition, or all steps up to a phase. One
// step never goes beyond complete: Contract does.
func (m *Migrator) Advance(ctx context.Context, name string, o AdvanceOptions) (Position, error) {
	return Position{}, errSkeleton
}

// RunOptions says how far to go.
type RunOptions struct {
	// Until is the phase to reach; empty means complete.
	Until Phase
}

// Run does all steps up to a phase. Until Contracted it contracts too.
func (m *Migrator) Run(ctx context.Context, name string, o RunOptions) (Position, error) {
	return Position{}, errSkeleton
}

// Contract drops the source: from phase complete to the end. Once the phase
// contracted is entered there is no way back.
func (m *Migrator) Contract(ctx context.Context, name string) (Position, error) {
	return Position{}, errSkeleton
}

// RollbackOptions says how far to go.
type RollbackOptions struct {
	// To is the phase to return to; empty means off, with the table as it was.
	To Phase
}

// Rollback undoes the steps of a transition, last one first. From phase
// contracted it returns ErrPointOfNoReturn.
func (m *Migrator) Rollback(ctx context.Context, name string, o RollbackOptions) (Position, error) {
	return Position{}, errSkeleton
}

// Verification is the result of comparing source with target.
type Verification struct {
	Transition string `json:"transition"`
	Source     string `json:"source"`
	Target     string `json:"target"`
	Rows       int64  `json:"rows"`
	Mismatches int64  `json:"mismatches"`
	// Key names the columns of the primary key, and Samples are the keys of the
	// first mismatches.
	Key     []string   `json:"key"`
	Samples [][]string `json:"samples,omitempty"`
}

// Verify compares source with target in every row, in a phase that keeps both
// and after the backfill. Differences are a *MismatchError.
func (m *Migrator) Verify(ctx context.Context, name string) (Verification, error) {
	return Verification{}, errSkeleton
}

// Remove ends a transition, in phase off after a rollback, or in phase
// contracted when no application uses the old name any more: hooked
// connections stop rewriting for it.
func (m *Migrator) Remove(ctx context.Context, name string) error { return errSkeleton }
