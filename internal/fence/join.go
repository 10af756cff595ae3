package fence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

var (
	// ErrPooler: the server process is not the one the protocol named, so a
	// pooler hands out server connections by transaction or statement. A
	// session lock would stay behind in a connection that others use.
	ErrPooler = errors.New("a connection pooler sits between this application and PostgreSQL: " +
		"connect the hook to PostgreSQL directly, or through a pooler in session mode that keeps backend ids")
	// ErrPrivilege: the role may not read what a joining connection reads.
	ErrPrivilege = errors.New("this role may not read the ledger: " +
		"run `crossfade init --grant-to ROLE` for every role that an application connects as")
)

// Member is the part of a transition that a joining connection needs.
type Member struct {
	ID         int64             `json:"id"`
	Name       string            `json:"name"`
	Schema     string            `json:"schema"`
	Table      string            `json:"table"`
	Phase      phase.Phase       `json:"phase"`
	Token      string            `json:"token"`
	Definition ledger.Definition `json:"definition"`
}

// View is what a connection has joined under. It stays true for the
// connection as long as the connection lives.
type View struct {
	// Epoch is the epoch whose lock the session holds; 0 without a ledger.
	Epoch int
	// Transitions are the active transitions; the caller must not change them.
	Transitions []Member
	// SearchPath is current_schemas(true) of the session.
	SearchPath []string
	// Standby: the server was in recovery. What the session knows is what has been
	// replayed there, and its epoch lock is seen there only.
	Standby bool

	// Ramps are, by id, how many of 100 connections read the targets; those in phase
	// live that are missing are read by all.
	Ramps map[int64]int

	// held is how long to wait before joining.
	held time.Duration
}

// joinAttempts bounds how often a join starts over because a flip came between
// its two reads.
const joinAttempts = 10

// Join makes a fresh session a member of the epoch in force: it takes the
// epoch's lock and reads the transitions, in one round trip. Without a ledger
// the session becomes a member of epoch 0. While a migrator holds a flip it
// waits. On an error the session must be closed: nobody may use it.
//
// On a standby it joins what has been replayed. There a hold keeps nobody: the
// phase before is right until the rename is replayed, with which its token goes.
// The session stays read-only after a promotion: what it may know nothing of, it
// must not write.
func Join(ctx context.Context, conn *pgconn.PgConn) (View, error) {
	return JoinHeld(ctx, conn, func(int) {})
}

// JoinHeld is Join, and tells of the epoch that is held before it waits.
func JoinHeld(ctx context.Context, conn *pgconn.PgConn, held func(epoch int)) (View, error) {
	for range joinAttempts {
		view, locked, err := readView(ctx, conn)
		if isNoLedger(err) {
			view, locked, err = readWithout(ctx, conn)
		}
		switch {
		case err != nil:
			return View{}, describe(err)
		case locked == view.Epoch && view.held == 0:
			return view, nil
		case locked == view.Epoch:
			held(view.Epoch)
			same, err := outlast(ctx, conn, view)
			if err != nil {
				return View{}, describe(err)
			}
			if same {
				return view, nil
			}
		}
		if err := release(ctx, conn, locked); err != nil {
			return View{}, describe(err)
		}
	}
	return View{}, fmt.Errorf("join: the epoch changed %d times while joining", joinAttempts)
}

// Leave gives up the membership that Join gave, so that the session can join
// again.
func Leave(ctx context.Context, conn *pgconn.PgConn, view View) error {
	if err := release(ctx, conn, view.Epoch); err != nil {
		return fmt.Errorf("leave epoch %d: %w", view.Epoch, err)
	}
	return nil
}

// limits keep a join from hanging in a pool's Acquire. READ COMMITTED,
// whatever the defaults are: the second read has to see what the first one
// may have missed.
const limits = `begin isolation level read committed;
set local statement_timeout = '10s';
set local lock_timeout = '5s';
`

// readOnlyOnStandby is for what becomes of a standby when it is promoted.
const readOnlyOnStandby = `select case when pg_is_in_recovery() then set_config('default_transaction_read_only', 'on', false) end;
		`

// readView locks the epoch it read, then reads again: the lock is worth
// something only if the epoch has not moved in between.
func readView(ctx context.Context, conn *pgconn.PgConn) (View, int, error) {
	rows, err := query(ctx, conn, limits+`select epoch, `+lockIfDirect(conn, "epoch")+`, pg_is_in_recovery()
		from crossfade.join_v1;
		select epoch, transitions, array_to_json(current_schemas(true)), coalesce(held_ms, 0), coalesce(ramps, '{}') from crossfade.join_v1;
		`+readOnlyOnStandby+`commit`)
	if err != nil {
		return View{}, 0, err
	}
	if len(rows) != 3 || len(rows[0]) != 3 || len(rows[1]) != 5 {
		return View{}, 0, errors.New("read the ledger: unexpected answer")
	}
	if err := checkLock(rows[0][1]); err != nil {
		return View{}, 0, err
	}
	locked, err := strconv.Atoi(string(rows[0][0]))
	if err != nil {
		return View{}, 0, fmt.Errorf("read the epoch: %w", err)
	}
	var view View
	if view.Epoch, err = strconv.Atoi(string(rows[1][0])); err != nil {
		return View{}, 0, fmt.Errorf("read the epoch: %w", err)
	}
	if err := json.Unmarshal(rows[1][1], &view.Transitions); err != nil {
		return View{}, 0, fmt.Errorf("read the transitions: %w", err)
	}
	if err := json.Unmarshal(rows[1][2], &view.SearchPath); err != nil {
		return View{}, 0, fmt.Errorf("read the search_path: %w", err)
	}
	ms, err := strconv.Atoi(string(rows[1][3]))
	if err != nil {
		return View{}, 0, fmt.Errorf("read the hold: %w", err)
	}
	view.held = time.Duration(ms) * time.Millisecond
	if err := json.Unmarshal(rows[1][4], &view.Ramps); err != nil {
		return View{}, 0, fmt.Errorf("read the ramps: %w", err)
	}
	if view.Standby = string(rows[0][2]) == "t"; view.Standby {
		view.held = 0
	}
	for _, m := range view.Transitions {
		if _, err := phase.Parse(string(m.Phase)); err != nil {
			return View{}, 0, fmt.Errorf("transition %q: %w: upgrade this application's crossfade", m.Name, err)
		}
	}
	return view, locked, nil
}

// readWithout joins a database that has no ledger. The lock comes first, so
// that a ledger made in the meantime either is seen here or sees the lock.
func readWithout(ctx context.Context, conn *pgconn.PgConn) (View, int, error) {
	// The failed attempt left the session in an aborted transaction.
	rows, err := query(ctx, conn, `rollback; `+limits+`select `+lockIfDirect(conn, "0")+`;
		select coalesce(to_regclass('crossfade.join_v1')::oid::text, ''), array_to_json(current_schemas(true)), pg_is_in_recovery();
		`+readOnlyOnStandby+`commit`)
	if err != nil {
		return View{}, 0, err
	}
	if len(rows) != 3 || len(rows[0]) != 1 || len(rows[1]) != 3 {
		return View{}, 0, errors.New("look for the ledger: unexpected answer")
	}
	if err := checkLock(rows[0][0]); err != nil {
		return View{}, 0, err
	}
	view := View{Standby: string(rows[1][2]) == "t"}
	if len(rows[1][0]) > 0 {
		view.Epoch = -1 // it exists by now: start over
	}
	if err := json.Unmarshal(rows[1][1], &view.SearchPath); err != nil {
		return View{}, 0, fmt.Errorf("read the search_path: %w", err)
	}
	return view, 0, nil
}

// lockIfDirect takes the epoch lock only in the server process that the
// protocol named: NULL means a pooler, false that somebody holds it exclusively.
func lockIfDirect(conn *pgconn.PgConn, epoch string) string {
	return fmt.Sprintf(`case when pg_backend_pid() = %d then pg_try_advisory_lock_shared(%d, %s) end`,
		conn.PID(), EpochClass, epoch)
}

func checkLock(answer []byte) error {
	switch string(answer) {
	case "t":
		return nil
	case "":
		return ErrPooler
	}
	return errors.New("take the epoch lock: somebody holds it exclusively (see pg_locks, locktype advisory)")
}

func release(ctx context.Context, conn *pgconn.PgConn, epoch int) error {
	_, err := query(ctx, conn, fmt.Sprintf(`select pg_advisory_unlock_shared(%d, %d)`, EpochClass, epoch))
	return err
}

// query runs a simple query and returns the first row of each result that has
// columns.
func query(ctx context.Context, conn *pgconn.PgConn, sql string) ([][][]byte, error) {
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return nil, err
	}
	var rows [][][]byte
	for _, result := range results {
		if len(result.FieldDescriptions) == 0 {
			continue
		}
		if len(result.Rows) != 1 {
			return nil, fmt.Errorf("expected one row, got %d", len(result.Rows))
		}
		rows = append(rows, result.Rows[0])
	}
	return rows, nil
}

// isNoLedger: undefined_table or invalid_schema_name, for the ledger's view.
func isNoLedger(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && (pgErr.Code == "42P01" || pgErr.Code == "3F000") &&
		strings.Contains(pgErr.Message, "crossfade")
}

func describe(err error) error {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == "42501" {
		return fmt.Errorf("join: %w: %w", ErrPrivilege, err)
	}
	return fmt.Errorf("join: %w", err)
}
