package logical

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Position is how far a slot has been applied, and on which server.
type Position struct {
	// LSN: everything that committed before has been applied.
	LSN LSN
	// System and Timeline are the server's, as IDENTIFY_SYSTEM gives them.
	System   string
	Timeline int32
	// Published are the OIDs of the publication and of its entries. They are
	// others when it was dropped and made anew, however short the while: then
	// PostgreSQL 18 leaves out, in silence, what was written in between.
	Published []uint32
	// Claim counts the processes that have taken the slot over.
	Claim int64
}

// Positions keeps one Position for each slot, in the database that is followed.
// Save runs first in the transaction of each batch, so that one that comes too
// late, after another process has claimed the slot, does nothing.
type Positions interface {
	// Prepare makes what the positions are kept in. It is safe to repeat.
	Prepare(ctx context.Context, tx pgx.Tx) error
	// Load returns the slot's position, or pgx.ErrNoRows; also when nothing
	// has been prepared.
	Load(ctx context.Context, tx pgx.Tx, slot string) (Position, error)
	// Create adds a position unless the slot has one.
	Create(ctx context.Context, tx pgx.Tx, slot string, p Position) error
	// Claim adds one to the slot's Claim and returns its position. It waits for
	// the batch that another process may be applying.
	Claim(ctx context.Context, tx pgx.Tx, slot string) (Position, error)
	// Save stores p, and keeps the row locked until tx ends. It returns
	// ErrTakenOver when the stored Claim is not p's.
	Save(ctx context.Context, tx pgx.Tx, slot string, p Position) error
	// Remove removes the slot's position, if there is one.
	Remove(ctx context.Context, tx pgx.Tx, slot string) error
}

// PositionTable keeps positions in a table, which it creates. It must not be
// published: each batch would make another one.
type PositionTable struct {
	// Schema and Name are the table's; empty means crossfade_logical.position.
	// The schema is made if there is none.
	Schema, Name string
}

func (p PositionTable) schema() string {
	if p.Schema == "" {
		return "crossfade_logical"
	}
	return p.Schema
}

func (p PositionTable) table() string {
	name := p.Name
	if name == "" {
		name = "position"
	}
	return pgx.Identifier{p.schema(), name}.Sanitize()
}

// Prepare creates the schema and the table.
func (p PositionTable) Prepare(ctx context.Context, tx pgx.Tx) error {
	if err := lockSetup(ctx, tx); err != nil {
		return err
	}
	var exists, schema bool
	err := tx.QueryRow(ctx, `select to_regclass($1) is not null, to_regnamespace($2) is not null`,
		p.table(), pgx.Identifier{p.schema()}.Sanitize()).Scan(&exists, &schema)
	if err != nil || exists {
		return err
	}
	if !schema {
		if _, err := tx.Exec(ctx, `create schema `+pgx.Identifier{p.schema()}.Sanitize()); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `create table `+p.table()+` (
		slot text primary key,
		lsn pg_lsn not null,
		system text not null,
		timeline int not null,
		published oid[] not null,
		claim bigint not null,
		updated_at timestamptz not null default now())`)
	return err
}

// Load reads the slot's row.
func (p PositionTable) Load(ctx context.Context, tx pgx.Tx, slot string) (Position, error) {
	var exists bool
	if err := tx.QueryRow(ctx, `select to_regclass($1) is not null`, p.table()).Scan(&exists); err != nil {
		return Position{}, err
	}
	if !exists {
		return Position{}, pgx.ErrNoRows
	}
	return scanPosition(tx.QueryRow(ctx, `select lsn::text, system, timeline, published, claim from `+p.table()+` where slot = $1`, slot))
}

// Create inserts the slot's row.
func (p PositionTable) Create(ctx context.Context, tx pgx.Tx, slot string, pos Position) error {
	_, err := tx.Exec(ctx, `insert into `+p.table()+` (slot, lsn, system, timeline, published, claim)
		values ($1, $2::text::pg_lsn, $3, $4, $5, 0) on conflict (slot) do nothing`,
		slot, pos.LSN.String(), pos.System, pos.Timeline, pos.Published)
	return err
}

// Claim takes the slot's row over.
func (p PositionTable) Claim(ctx context.Context, tx pgx.Tx, slot string) (Position, error) {
	return scanPosition(tx.QueryRow(ctx, `update `+p.table()+` set claim = claim + 1 where slot = $1
		returning lsn::text, system, timeline, published, claim`, slot))
}

// Save updates the slot's row.
func (p PositionTable) Save(ctx context.Context, tx pgx.Tx, slot string, pos Position) error {
	tag, err := tx.Exec(ctx, `update `+p.table()+` set lsn = $2::text::pg_lsn, system = $3, timeline = $4, published = $5, updated_at = now()
		where slot = $1 and claim = $6`, slot, pos.LSN.String(), pos.System, pos.Timeline, pos.Published, pos.Claim)
	if err == nil && tag.RowsAffected() == 0 {
		return ErrTakenOver
	}
	return err
}

// Remove deletes the slot's row.
func (p PositionTable) Remove(ctx context.Context, tx pgx.Tx, slot string) error {
	_, err := p.Load(ctx, tx, slot)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err == nil {
		_, err = tx.Exec(ctx, `delete from `+p.table()+` where slot = $1`, slot)
	}
	return err
}

func scanPosition(row pgx.Row) (pos Position, err error) {
	var lsn string
	if err := row.Scan(&lsn, &pos.System, &pos.Timeline, &pos.Published, &pos.Claim); err != nil {
		return Position{}, err
	}
	if err := pos.LSN.Scan(lsn); err != nil {
		return Position{}, fmt.Errorf("read position: %w", err)
	}
	return pos, nil
}

// loadPosition returns the stored position; ok is false when there is none.
func (t *Tailer) loadPosition(ctx context.Context, conn *pgx.Conn) (pos Position, ok bool, err error) {
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		pos, err = t.config.Positions.Load(ctx, tx, t.config.Slot)
		return err
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Position{}, false, nil
	case err != nil:
		return Position{}, false, fmt.Errorf("load position: %w", err)
	}
	return pos, true, nil
}
