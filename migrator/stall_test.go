package migrator_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestNobodyWaitsBehindUs lets something stand in the way of every statement on a
// table, of every operation, there, back and there again: a transaction that has read,
// one that has written, an old snapshot, a prepared transaction, in turns. It ends
// only when the migrator has named it and others have read and written meanwhile: so
// none of them waits for its end.
func TestNobodyWaitsBehindUs(t *testing.T) {
	t.Parallel()
	for n, s := range crashScenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.NewFrom(t, s.setup)
			o := newObstacles(t, db, s.transition.Table, n)
			m := newMigrator(t, db, migrator.Config{Observer: o, DDLMaxWait: time.Minute, WritersQuiet: time.Nanosecond,
				IgnoreApplications: []string{auditor, "obstacle", "probe"}})
			require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
			steps := func() error {
				if _, err := m.Start(ctx, s.transition); err != nil {
					return err
				}
				if _, err := m.Run(ctx, s.transition.Name, migrator.RunOptions{}); err != nil {
					return err
				}
				if _, err := m.Rollback(ctx, s.transition.Name, migrator.RollbackOptions{}); err != nil {
					return err
				}
				_, err := m.Run(ctx, s.transition.Name, untilContracted)
				return err
			}
			err := steps()
			require.NoError(t, errors.Join(o.err, err))
			t.Logf("%d statements, %d of them held up, %d probes", o.statements, o.named, o.probe.rounds.Load())
			require.Positive(t, o.named)
		})
	}
}

// obstacles is an Observer that puts something in the way of each statement.
type obstacles struct {
	conn  *pgx.Conn // the one in the way
	probe *probe
	table string
	// kinds begin and end a transaction in the way.
	kinds [][2]string
	turn  int

	statements, named int
	end               string // ends what is in the way; empty when nothing is
	sql               string // the statement that it is in the way of
	rounds            int64  // of the probe, when that began
	err               error
}

func newObstacles(t *testing.T, db *pgtest.DB, table string, turn int) *obstacles {
	read, write := `select from `+table+` limit 1`, probing(table, 2)
	return &obstacles{
		conn: connect(t, db, "obstacle"), probe: newProbe(t, db, table), table: table, turn: turn,
		kinds: [][2]string{
			{`begin; ` + read, `rollback`},
			{`begin; ` + write, `rollback`},
			{`begin isolation level repeatable read; ` + read, `rollback`},
			{`begin; ` + write + `; prepare transaction 'obstacle of ` + db.Name + `'`, `rollback prepared 'obstacle of ` + db.Name + `'`},
		},
	}
}

func (o *obstacles) Observe(e migrator.Event) {
	s, ok := e.(migrator.StatementEvent)
	if !ok || s.Lock == "" || o.err != nil {
		return
	}
	switch {
	case s.Done:
		o.remove()
	case o.sql != s.SQL:
		o.remove()
		kind := o.kinds[o.turn%len(o.kinds)]
		o.turn++
		o.statements++
		o.sql, o.end, o.rounds = s.SQL, kind[1], o.probe.rounds.Load()
		_, o.err = o.conn.Exec(ctx, kind[0], pgx.QueryExecModeSimpleProtocol)
	case o.end != "" && len(s.Blockers) > 0:
		text := strings.Join(s.Blockers, "\n")
		if !strings.Contains(text, `application "obstacle"`) && !strings.Contains(text, `prepared transaction "obstacle`) {
			return // an autovacuum
		}
		o.named++
		if o.err = o.probe.progress(o.rounds + 2); o.err != nil {
			o.err = fmt.Errorf("%w behind %s", o.err, s.SQL)
		}
		o.remove()
	}
}

func (o *obstacles) remove() {
	if o.end != "" {
		_, err := o.conn.Exec(ctx, o.end)
		o.err = errors.Join(o.err, err)
	}
	o.sql, o.end = "", ""
}

// probe reads and writes a table all the time.
type probe struct {
	rounds atomic.Int64
	failed atomic.Pointer[error]
}

func newProbe(t *testing.T, db *pgtest.DB, table string) *probe {
	t.Helper()
	p := &probe{}
	conn := connect(t, db, "probe")
	stop, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for stop.Err() == nil {
			for _, sql := range []string{`select from ` + table + ` limit 1`, probing(table, 1)} {
				if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeExec); err != nil {
					p.failed.Store(&err)
					return
				}
			}
			p.rounds.Add(1)
			time.Sleep(5 * time.Millisecond) // it shall not take the machine for itself
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return p
}

// progress waits until the probe has done so many rounds.
func (p *probe) progress(rounds int64) error {
	for deadline := time.Now().Add(time.Minute); p.rounds.Load() < rounds; time.Sleep(time.Millisecond) {
		if err := p.failed.Load(); err != nil {
			return *err
		}
		if time.Now().After(deadline) {
			return errors.New("a probe waits")
		}
	}
	return nil
}

// probing writes a row of one of the tables of crashScenarios, in a column that
// nobody moves.
func probing(table string, row int) string {
	if table == "orders" {
		return fmt.Sprintf(`update orders set note = note where customer_id = %d`, row)
	}
	return fmt.Sprintf(`update %s set email = email where id = %d`, table, row)
}
