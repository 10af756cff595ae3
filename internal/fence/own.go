package fence

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Row is what Own and Lead need of a connection.
type Row interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// ErrAnotherMigrator: another migrator is at work in this database.
var ErrAnotherMigrator = errors.New("another migrator is at work in this database")

// Own marks a session as Crossfade's own: drains do not wait for it. The mark
// lasts until the session ends.
func Own(ctx context.Context, conn Row) error {
	if _, err := conn.Exec(ctx, `select pg_advisory_lock_shared($1, 0)`, OwnClass); err != nil {
		return fmt.Errorf("mark connection as crossfade's own: %w", err)
	}
	return nil
}

// Lead makes the session the only migrator of its database, until it ends:
// lock and work share one connection, so they end together. It never waits;
// ErrAnotherMigrator names the session that leads.
func Lead(ctx context.Context, conn Row) error {
	var leading bool
	if err := conn.QueryRow(ctx, `select pg_try_advisory_lock($1, 0)`, LeaderClass).Scan(&leading); err != nil {
		return fmt.Errorf("become the migrator: %w", err)
	}
	if leading {
		return nil
	}
	var pid int
	var user, application, client string
	err := conn.QueryRow(ctx, `select a.pid, coalesce(a.usename, ''), a.application_name, coalesce(host(a.client_addr), 'local')
		from pg_locks l join pg_stat_activity a on a.pid = l.pid
		where l.locktype = 'advisory' and l.classid::bigint = $1 and l.objid = 0 and l.objsubid = 2 and l.granted
			and l.database = (select oid from pg_database where datname = current_database())`, LeaderClass).
		Scan(&pid, &user, &application, &client)
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("%w; it has just ended: try again", ErrAnotherMigrator)
	}
	if err != nil {
		return fmt.Errorf("become the migrator: %w", err)
	}
	return fmt.Errorf("%w: pid %d, role %s, application %q, client %s", ErrAnotherMigrator, pid, user, application, client)
}

// Follow makes the session the only one of its database that follows feature
// flags, until it ends; false means that another one is. It never waits.
func Follow(ctx context.Context, conn Row) (bool, error) {
	var following bool
	if err := conn.QueryRow(ctx, `select pg_try_advisory_lock($1, 0)`, FollowerClass).Scan(&following); err != nil {
		return false, fmt.Errorf("become the follower: %w", err)
	}
	return following, nil
}

// Resign gives up what Lead, Follow and BeginHold have given. The session stays marked
// as Crossfade's own.
func Resign(ctx context.Context, conn Row) error {
	_, err := conn.Exec(ctx, `select pg_advisory_unlock(classid::bigint::int, objid::bigint::int) from pg_locks
		where pid = pg_backend_pid() and locktype = 'advisory' and objsubid = 2 and granted and mode = 'ExclusiveLock'
			and database = (select oid from pg_database where datname = current_database()) and classid::bigint in ($1, $2, $3)`,
		LeaderClass, FollowerClass, HoldClass)
	if err != nil {
		return fmt.Errorf("give up being the migrator: %w", err)
	}
	return nil
}

// Leading tells whether some session is the migrator of this database now.
func Leading(ctx context.Context, conn Row) (bool, error) {
	var leading bool
	err := conn.QueryRow(ctx, `select exists (select from pg_locks l
		where l.locktype = 'advisory' and l.classid::bigint = $1 and l.objid = 0 and l.objsubid = 2 and l.granted
			and l.database = (select oid from pg_database where datname = current_database()))`, LeaderClass).Scan(&leading)
	if err != nil {
		return false, fmt.Errorf("look for a migrator: %w", err)
	}
	return leading, nil
}

// Guard marks a session as one that looks after the reads of a transition, until it
// ends.
func Guard(ctx context.Context, conn Row, transition int64) error {
	if _, err := conn.Exec(ctx, `select pg_advisory_lock_shared($1, $2::bigint::int)`, GuardClass, transition); err != nil {
		return fmt.Errorf("mark connection as a guard of reads: %w", err)
	}
	return nil
}

// Guarded tells whether some session looks after the reads of a transition: one that
// is marked by Guard, or the follower.
func Guarded(ctx context.Context, conn Row, transition int64) (bool, error) {
	var guarded bool
	err := conn.QueryRow(ctx, `select exists (select from pg_locks l
		where l.locktype = 'advisory' and l.objsubid = 2 and l.granted
			and (l.classid::bigint, l.objid::bigint) in (($1, 0), ($2, $3))
			and l.database = (select oid from pg_database where datname = current_database()))`,
		FollowerClass, GuardClass, transition).Scan(&guarded)
	if err != nil {
		return false, fmt.Errorf("look for a guard of reads: %w", err)
	}
	return guarded, nil
}
