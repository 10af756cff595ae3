package ddl

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// EnsureIndex makes an index valid, whatever an earlier attempt has left
// behind: it drops an INVALID leftover, waits for a build that still runs for
// a program that has died, and builds the index when it is missing. create is
// the statement for CreateIndexConcurrently.
func (r Runner) EnsureIndex(ctx context.Context, conn *pgx.Conn, table Name, index, create string) error {
	s := r.Resolve(CreateIndexConcurrently(table, create))
	patience := newPatience(r, s)
	// Somebody else's build is waited for as long as one of our own would be.
	patience.runner.MaxWait = max(patience.runner.MaxWait, s.LockTimeout)
	for {
		state, err := ReadIndex(ctx, conn, table, index)
		if err != nil {
			return err
		}
		switch state {
		case IndexValid:
			return nil
		case IndexInvalid:
			err = r.Run(ctx, conn, DropIndexConcurrently(table, index))
		case IndexMissing:
			err = r.build(ctx, conn, table, index, s)
		case IndexBuilding:
			err = errBuilding(index)
		}
		if err == nil {
			continue
		}
		var blocked *BlockedError
		var blockers []Blocker
		switch {
		case errors.As(err, &blocked):
			err, blockers = blocked.Err, blocked.Blockers
		case state != IndexBuilding:
			return err
		default:
			var lookErr error
			if blockers, lookErr = holders(ctx, conn, s); lookErr != nil {
				return lookErr
			}
		}
		if err := patience.pause(ctx, err, blockers); err != nil {
			return err
		}
	}
}

// build creates the index, and takes away what a refused build leaves: an
// INVALID index slows writes down for nothing.
func (r Runner) build(ctx context.Context, conn *pgx.Conn, table Name, index string, s Statement) error {
	err := r.Run(ctx, conn, s)
	if hasCode(err, "23505") {
		if dropErr := r.Run(ctx, conn, DropIndexConcurrently(table, index)); dropErr != nil {
			return fmt.Errorf("%w; and %w", err, dropErr)
		}
		return fmt.Errorf("build unique index %s: the table has duplicates: remove them and try again: %w", ident(index), err)
	}
	return err
}

func errBuilding(index string) error {
	return fmt.Errorf("another session is building index %s", ident(index))
}
