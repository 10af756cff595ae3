package migrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// applicationName is what others see of the migrator in pg_stat_activity.
const applicationName = "crossfade migrator"

// session is one connection of the migrator and what works on it.
type session struct {
	Config
	conn *pgx.Conn
	ddl  ddl.Runner
	// config is what others connect with, as the Migrator was given it.
	config *pgx.ConnConfig
	// another opens one more session like this one.
	another func(context.Context) (*session, error)
	// standbys are those of Config.Standbys.
	standbys []*standby
	measured *instruments
	story    *story
	// schemas are those of the role's own search_path, in its order.
	schemas []string
}

// open connects. Drains do not wait for the connection, and it leads to the
// server process that the protocol names.
func (m *Migrator) open(ctx context.Context) (*session, error) {
	config := m.conn.Copy()
	config.RuntimeParams["application_name"] = applicationName
	// A cancelled call should cancel its statement, not just abandon it: the
	// server would go on with it, and with it the lock of the migrator.
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: 5 * time.Second}
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	s := &session{Config: m.config, conn: conn, config: m.conn, another: m.open,
		standbys: newStandbys(m.config.Standbys), measured: m.measured, story: newStory(ctx, m.config.TracerProvider)}
	s.ddl = ddl.Runner{LockTimeout: m.config.LockTimeout, MaxWait: m.config.DDLMaxWait,
		ConcurrentTimeout: m.config.ConcurrentTimeout}
	if err := s.prepare(ctx); err != nil {
		s.close(ctx)
		return nil, err
	}
	return s, nil
}

// prepare checks where the connection leads, and makes it independent of
// settings of the role or the database.
func (s *session) prepare(ctx context.Context) error {
	var pid uint32
	var standby bool
	err := s.conn.QueryRow(ctx, `select pg_backend_pid(), pg_is_in_recovery(), current_schemas(false)::text[]`).
		Scan(&pid, &standby, &s.schemas)
	switch {
	case err != nil:
		return fmt.Errorf("connect: %w", err)
	case pid != s.conn.PgConn().PID():
		return ErrPooler
	case standby:
		return ErrStandby
	}
	// With an empty search_path PostgreSQL qualifies every name that it prints.
	_, err = s.conn.Exec(ctx, `select set_config(name, value, false)
		from (values ('search_path', ''), ('jit', 'off'), ('statement_timeout', '0'), ('idle_in_transaction_session_timeout', '0'),
			('idle_session_timeout', '0'), ('transaction_timeout', '0'), ('default_transaction_isolation', 'read committed'),
			('default_transaction_read_only', 'off'), ('default_transaction_deferrable', 'off')) as wanted (name, value)
		where exists (select from pg_catalog.pg_settings known where known.name = wanted.name)`)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	// When this process dies, the server should not work on for it. Not every
	// version and platform of the server can.
	if _, err := s.conn.Exec(ctx, `set client_connection_check_interval = '1s'`); err != nil && sqlState(err) == "" {
		return fmt.Errorf("connect: %w", err)
	}
	if err := fence.Own(ctx, s.conn); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	return nil
}

func (s *session) close(ctx context.Context) {
	s.story.end(nil)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	// The server may take a moment to notice that the connection has ended.
	// The next migrator should not have to wait for that. Until then the session
	// stays marked as Crossfade's own.
	if !s.conn.IsClosed() {
		_ = fence.Resign(ctx, s.conn)
	}
	_ = s.conn.Close(ctx)
	for _, standby := range s.standbys {
		standby.close(ctx)
	}
}

// look runs fn on a connection. When that is lost meanwhile, nobody can know what the
// last statement did.
func (m *Migrator) look(ctx context.Context, fn func(*session) error) error {
	s, err := m.open(ctx)
	if err != nil {
		return overtaken(ctx, advise(err))
	}
	defer s.close(ctx)
	err = fn(s)
	var tail *TailError
	if err != nil && s.conn.IsClosed() && !errors.As(err, &tail) {
		err = &unknownOutcome{cause: overtaken(ctx, err)}
	}
	return overtaken(ctx, advise(err))
}

// overtaken says that a context is over where the server only says that a
// statement was cancelled.
func overtaken(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

// lead runs fn as the only migrator of the database, on the connection that
// holds the lock of it.
func (m *Migrator) lead(ctx context.Context, fn func(*session) error) error {
	return m.look(ctx, func(s *session) error {
		if err := s.becomeLeader(ctx); err != nil {
			return err
		}
		return fn(s)
	})
}

// leadLedger is lead with a ledger that this program can work with.
func (m *Migrator) leadLedger(ctx context.Context, fn func(*session) error) error {
	return m.lead(ctx, func(s *session) error {
		if err := ledger.Check(ctx, s.conn); err != nil {
			return err
		}
		return fn(s)
	})
}

// becomeLeader waits a moment for a migrator that has just ended or been killed.
func (s *session) becomeLeader(ctx context.Context) error {
	for began := time.Now(); ; {
		err := fence.Lead(ctx, s.conn)
		switch another := errors.Is(err, fence.ErrAnotherMigrator); {
		case err != nil && !another:
			return fmt.Errorf("connect: %w", err)
		case !another || time.Since(began) > s.LeaderWait:
			return err
		}
		if err := s.pause(ctx); err != nil {
			return err
		}
	}
}

// pause waits for one interval of polling.
func (s *session) pause(ctx context.Context) error {
	return sleep(ctx, s.PollInterval)
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// observe tells of an event to those who watch.
func (w *work) observe(e Event) {
	w.measured.observe(w.t, e)
	w.story.observe(w.t, e)
	if w.Observer != nil {
		w.Observer.Observe(e)
	}
}
