package ledger

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Schema is the schema that holds the ledger and the tokens.
const Schema = "crossfade"

// Channel is the channel on which a change of the epoch is notified.
const Channel = "crossfade_epoch"

var (
	// ErrNoLedger: the schema crossfade does not exist in this database.
	ErrNoLedger = errors.New("no ledger in this database: run `crossfade init` first")
	// ErrNewerLedger: a later version of Crossfade has migrated the ledger.
	ErrNewerLedger = errors.New("the ledger is from a newer version of crossfade: upgrade this program")
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// migrateLock keeps two programs from migrating the ledger at once.
const migrateLock = 0x6366_0003

// Conn is what the ledger needs of a connection. *pgx.Conn, *pgxpool.Pool and
// pgx.Tx are all of that kind.
type Conn interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Begin(ctx context.Context) (pgx.Tx, error)
}

// LatestVersion is the version of the ledger that this program writes.
func LatestVersion() int {
	files, err := schemaFiles.ReadDir("schema")
	if err != nil {
		panic(err) // embedded: cannot fail in a program that was built
	}
	return len(files)
}

// Version reads the version of the ledger; 0 when there is none.
func Version(ctx context.Context, db Conn) (int, error) {
	var exists bool
	if err := db.QueryRow(ctx, `select to_regclass('crossfade.schema_version') is not null`).Scan(&exists); err != nil {
		return 0, fmt.Errorf("read ledger version: %w", err)
	}
	if !exists {
		return 0, nil
	}
	var version int
	if err := db.QueryRow(ctx, `select coalesce(max(version), 0) from crossfade.schema_version`).Scan(&version); err != nil {
		return 0, fmt.Errorf("read ledger version: %w", err)
	}
	return version, nil
}

// Check returns nil when this program can work with the ledger as it stands,
// otherwise ErrNoLedger, ErrNewerLedger, or what went wrong.
func Check(ctx context.Context, db Conn) error {
	version, err := Version(ctx, db)
	switch {
	case err != nil:
		return err
	case version == 0:
		return ErrNoLedger
	case version > LatestVersion():
		return fmt.Errorf("%w (ledger version %d, this program knows %d)", ErrNewerLedger, version, LatestVersion())
	case version < LatestVersion():
		return fmt.Errorf("the ledger is at version %d, this program needs %d: run `crossfade init`", version, LatestVersion())
	}
	return nil
}

// Migrate creates the ledger or brings it up to date, in one transaction, and
// lets the given roles join ("public" by default). It can be repeated.
func Migrate(ctx context.Context, db Conn, roles []string) error {
	tx, err := db.Begin(ctx)
	if err != nil {
		return fmt.Errorf("migrate ledger: %w", err)
	}
	defer rollback(ctx, tx)
	if _, err := tx.Exec(ctx, `set local lock_timeout = '5s'`); err != nil {
		return fmt.Errorf("migrate ledger: %w", err)
	}
	if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1)`, migrateLock); err != nil {
		return fmt.Errorf("migrate ledger: wait for another `crossfade init`: %w", err)
	}
	version, err := Version(ctx, tx)
	if err != nil {
		return err
	}
	if version > LatestVersion() {
		return fmt.Errorf("%w (ledger version %d, this program knows %d)", ErrNewerLedger, version, LatestVersion())
	}
	files, err := schemaFiles.ReadDir("schema")
	if err != nil {
		return fmt.Errorf("migrate ledger: %w", err)
	}
	for i, file := range files {
		if i+1 <= version {
			continue
		}
		sql, err := schemaFiles.ReadFile("schema/" + file.Name())
		if err != nil {
			return fmt.Errorf("migrate ledger: %w", err)
		}
		if _, err := tx.Exec(ctx, string(sql)); err != nil {
			return fmt.Errorf("migrate ledger to version %d: %w", i+1, err)
		}
		if _, err := tx.Exec(ctx, `insert into crossfade.schema_version (version) values ($1)`, i+1); err != nil {
			return fmt.Errorf("migrate ledger to version %d: %w", i+1, err)
		}
	}
	if err := grantJoin(ctx, tx, roles); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("migrate ledger: %w", err)
	}
	return nil
}

// grantJoin gives the roles what a joining connection needs. A token needs no
// privilege in the form in which statements name it.
func grantJoin(ctx context.Context, tx pgx.Tx, roles []string) error {
	if len(roles) == 0 {
		roles = []string{"public"}
	}
	for _, role := range roles {
		name := role
		if !strings.EqualFold(role, "public") {
			name = pgx.Identifier{role}.Sanitize()
		}
		for _, grant := range []string{
			`grant usage on schema crossfade to ` + name,
			`grant select on crossfade.join_v1 to ` + name,
		} {
			if _, err := tx.Exec(ctx, grant); err != nil {
				return fmt.Errorf("grant the ledger to role %q: %w", role, err)
			}
		}
	}
	return nil
}

// rollback ends a transaction that may have been committed already, also when
// the caller's context is over.
func rollback(ctx context.Context, tx pgx.Tx) {
	_ = tx.Rollback(context.WithoutCancel(ctx))
}
