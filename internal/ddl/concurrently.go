package ddl

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/fence"
)

// lookPause is how often a statement CONCURRENTLY is asked whom it waits for,
// unless its timeout is so short that it would be over by then.
const lookPause = time.Second

// runAlone runs a statement that may be in no transaction. It waits as long as
// its own lock timeout lets it: a short one would kill it for any transaction
// that is open somewhere. Meanwhile a second connection looks who makes it wait.
func (r Runner) runAlone(ctx context.Context, conn *pgx.Conn, s Statement) (err error) {
	before, err := setTimeouts(ctx, conn, [2]string{
		fmt.Sprint(s.LockTimeout.Milliseconds()), fmt.Sprint(s.StatementTimeout.Milliseconds())})
	if err != nil {
		return fmt.Errorf("run %s: %w", s.SQL, err)
	}
	defer func() {
		if conn.IsClosed() {
			return
		}
		if _, resetErr := setTimeouts(context.WithoutCancel(ctx), conn, before); resetErr != nil {
			err = errors.Join(err, resetErr)
		}
	}()
	watch, err := r.startWatch(ctx, conn, s)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, s.SQL, pgx.QueryExecModeSimpleProtocol)
	patience, watchErr := watch.stop()
	switch {
	case err == nil:
		return nil // that nobody could watch does not matter any more
	case isLockFailure(err):
		if len(patience.blockers) == 0 {
			// Nobody looked while it waited. Those on the table are the likeliest.
			var lookErr error
			patience.blockers, lookErr = holders(ctx, conn, Statement{On: s.On, Lock: AccessExclusive})
			watchErr = errors.Join(watchErr, lookErr)
		}
		return errors.Join(patience.giveUp(err), watchErr)
	}
	return errors.Join(describe(conn, s, err), watchErr)
}

// setTimeouts sets lock_timeout and statement_timeout for the session and
// returns what they were.
func setTimeouts(ctx context.Context, conn *pgx.Conn, timeouts [2]string) ([2]string, error) {
	var before [2]string
	err := conn.QueryRow(ctx, `select current_setting('lock_timeout'), current_setting('statement_timeout')`).
		Scan(&before[0], &before[1])
	if err != nil {
		return before, fmt.Errorf("read timeouts: %w", err)
	}
	_, err = conn.Exec(ctx, `select set_config('lock_timeout', $1, false), set_config('statement_timeout', $2, false)`,
		timeouts[0], timeouts[1])
	if err != nil {
		return before, fmt.Errorf("set timeouts: %w", err)
	}
	return before, nil
}

// watch is a goroutine with a connection of its own that looks whom a backend
// waits for.
type watch struct {
	cancel   context.CancelFunc
	done     chan struct{}
	patience *patience // the goroutine's own until done is closed
	err      error     // likewise
}

func (r Runner) startWatch(ctx context.Context, conn *pgx.Conn, s Statement) (*watch, error) {
	ctx, cancel := context.WithCancel(ctx)
	second, err := pgx.ConnectConfig(ctx, conn.Config())
	if err != nil {
		cancel()
		return nil, fmt.Errorf("watch %s: %w", s.SQL, err)
	}
	// A drain elsewhere must not take this connection for an application's.
	if err := fence.Own(ctx, second); err != nil {
		cancel()
		return nil, errors.Join(err, closeConn(second))
	}
	w := &watch{cancel: cancel, done: make(chan struct{}), patience: newPatience(r, s)}
	w.patience.attempts = 1
	go func() {
		defer close(w.done)
		w.err = w.run(ctx, second, conn.PgConn().PID())
		w.err = errors.Join(w.err, closeConn(second))
	}()
	return w, nil
}

func (w *watch) run(ctx context.Context, second *pgx.Conn, pid uint32) error {
	ticker := time.NewTicker(max(min(lookPause, w.patience.statement.LockTimeout/4), time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		// The look itself is not cancelled: that would cost the connection.
		blockers, err := blockersOf(context.WithoutCancel(ctx), second, pid)
		if err != nil {
			return err
		}
		w.patience.blockers = blockers
		if len(blockers) > 0 {
			w.patience.report(time.Since(w.patience.began), 0)
		}
	}
}

// stop ends the watch and waits for it.
func (w *watch) stop() (*patience, error) {
	w.cancel()
	<-w.done
	return w.patience, w.err
}

func closeConn(conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return conn.Close(ctx)
}
