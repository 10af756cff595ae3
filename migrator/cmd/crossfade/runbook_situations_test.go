package main

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// situations bring about what the sections of docs/runbook.md are about.
var situations = map[string]func(*situation){
	"A drain hangs": func(s *situation) {
		s.quiet("init")
		report := s.session("nightly-report")
		s.query(report, "begin; select full_name from users limit 1")
		s.play()
		s.sql(report.PgConn().PID())
		s.play()
	},
	"DDL does not get its lock": func(s *situation) {
		s.quiet("init")
		s.quiet("start", s.file)
		etl := s.session("etl")
		s.query(etl, "begin; lock table users in row exclusive mode")
		m, err := migrator.New(s.db.Config(s.t), migrator.Config{DDLMaxWait: 300 * time.Millisecond})
		require.NoError(s.t, err)
		_, err = m.Advance(s.t.Context(), "users-name", migrator.AdvanceOptions{})
		s.says("crossfade: " + err.Error() + "\n")
		s.sql(etl.PgConn().PID())
		s.play()
	},
	"A backfill stands still": func(s *situation) {
		s.quiet("init")
		s.quiet("run", s.file, "--until", "dualwrite")
		s.quiet("pause", "users-name")
		ended := s.background(s.t.Context(), "advance", "users-name")
		s.await("backfill")
		s.play()
		s.play()
		require.Equal(s.t, exitOK, (<-ended).code)
	},
	"A slot fills the disk": func(s *situation) {
		s.follow()
		s.play()
		s.sql(0)
		s.play()
	},
	"A slot was lost": func(s *situation) {
		s.follow()
		s.db.Exec(s.t, `select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = current_database()`)
		s.play()
		s.play()
	},
	"The verification finds differences": func(s *situation) {
		s.quiet("init")
		s.quiet("run", s.file, "--until", "shadow")
		s.db.Exec(s.t, `alter table users drop constraint crossfade_t1_equal; update users set name = 'somebody else' where id in (17, 18)`)
		s.play()
		s.play()
	},
	"A gate holds": func(s *situation) {
		s.quiet("init")
		s.quiet("run", s.file, "--until", "shadow")
		s.db.Exec(s.t, `alter table users drop constraint crossfade_t1_equal`)
		s.play()
		s.play()
	},
	"An index cannot be built": func(s *situation) {
		s.db.Exec(s.t, `create unique index users_email_key on users (email);
			update users set email = case id when 1 then 'A@example.com' else 'a@example.com' end where id < 3`)
		s.quiet("init")
		s.file = writeFile(s.t, "users-mail.yaml", `name: users-mail
table: users
change: {from: email, to: mail, type: text, forward: lower(email), backward: mail, lossy: [forward]}
`)
		s.quiet("run", s.file, "--until", "dualwrite")
		s.play()
		s.sql(0)
		s.play()
	},
	"The migrator was killed": func(s *situation) {
		s.quiet("init")
		s.quiet("run", s.file, "--until", "dualwrite")
		s.quiet("pause", "users-name")
		ctx, kill := context.WithCancel(s.t.Context())
		defer kill()
		ended := s.background(ctx, "advance", "users-name")
		s.await("backfill")
		kill()
		<-ended
		s.quiet("resume", "users-name")
		s.play()
		s.play()
		other := s.session("crossfade migrator")
		require.NoError(s.t, fence.Own(s.t.Context(), other))
		require.NoError(s.t, fence.Lead(s.t.Context(), other))
		s.play()
		s.sql(other.PgConn().PID())
	},
	"An instance is paused": func(s *situation) {
		s.quiet("init")
		s.quiet("start", s.file)
		paused, err := s.hooked().Acquire(s.t.Context())
		require.NoError(s.t, err)
		defer paused.Release()
		s.quiet("run", "users-name", "--until", "dualwrite", "--grace", "10ms")
		_, err = paused.Exec(s.t.Context(), "update users set full_name = 'Ada' where id = 1")
		require.True(s.t, dualwrite.IsStalePhase(err), err)
		s.saysError(err)
	},
	"Statements are refused": func(s *situation) {
		s.quiet("init")
		s.quiet("run", s.file, "--until", "dualwrite")
		_, err := s.hooked().CopyFrom(s.t.Context(), pgx.Identifier{"users"}, []string{"full_name"}, pgx.CopyFromRows([][]any{{"Ada"}}))
		_, refused := dualwrite.AsRefusal(err)
		require.True(s.t, refused, err)
		s.saysError(err)
		s.play()
	},
	"Rolling back": func(s *situation) {
		s.quiet("init")
		s.quiet("run", s.file)
		s.play()
		s.play()
	},
	"A rollback stops at a row": func(s *situation) {
		s.db.Exec(s.t, `alter table users add column visits int default 0 not null`)
		s.quiet("init")
		s.quiet("run", writeFile(s.t, "users-visits.yaml",
			"name: users-visits\ntable: users\nchange: {from: visits, to: visits_big, type: bigint}\n"))
		s.db.Exec(s.t, "update users set visits_big = 3000000000 where id = 17")
		s.play()
		s.sql(0)
		s.play()
	},
	"Contract is refused": func(s *situation) {
		s.quiet("init")
		s.quiet("run", s.file)
		s.play()
		s.db.Exec(s.t, "create view people as select full_name from users")
		s.play()
		s.sql(0)
		s.play()
	},
	"Past the point of no return": func(s *situation) {
		s.quiet("init")
		s.quiet("run", s.file)
		s.quiet("contract", "users-name", "--yes", "--snapshot", "rds:shop-2026-11-25")
		s.play()
		s.play()
		s.sql(0)
		s.next("sh")
	},
}

// hooked opens a pool with the hook, which nobody tells of flips.
func (s *situation) hooked() *pgxpool.Pool {
	s.t.Helper()
	hook, err := dualwrite.New(dualwrite.Config{})
	require.NoError(s.t, err)
	config, err := pgxpool.ParseConfig(s.db.URL)
	require.NoError(s.t, err)
	pool, err := hook.NewPool(s.t.Context(), config)
	require.NoError(s.t, err)
	s.t.Cleanup(pool.Close)
	return pool
}

// follow leads to a transition that has a slot, which nobody reads.
func (s *situation) follow() {
	s.t.Helper()
	s.quiet("init")
	s.quiet("run", writeFile(s.t, "users-name.yaml", usersFile+"sync: logical\n"), "--until", "dualwrite")
	s.quiet("advance", "users-name")
}

// background runs a command beside the test.
func (s *situation) background(ctx context.Context, args ...string) <-chan outcome {
	ended := make(chan outcome, 1)
	go func() { ended <- s.runContext(ctx, args...) }()
	return ended
}

// await waits until a step is under way.
func (s *situation) await(step string) {
	s.t.Helper()
	pgtest.WaitFor(s.t, "step "+step, func() bool {
		m, err := migrator.New(s.db.Config(s.t), migrator.Config{})
		require.NoError(s.t, err)
		list, err := m.Status(s.t.Context(), migrator.StatusOptions{Name: "users-name"})
		require.NoError(s.t, err)
		return list[0].Underway == step && len(list[0].Jobs) > 0 && list[0].Jobs[0].Waiting != ""
	})
}

func (s *situation) query(conn *pgx.Conn, sql string) {
	s.t.Helper()
	_, err := conn.Exec(s.t.Context(), sql)
	require.NoError(s.t, err)
}

// saysError: the next block has an error of the hook, as a log shows it with its
// detail and hint.
func (s *situation) saysError(err error) {
	s.t.Helper()
	var pgErr *pgconn.PgError
	require.True(s.t, errors.As(err, &pgErr))
	text := pgErr.Error() + "\n"
	if pgErr.Detail != "" {
		text += "DETAIL: " + pgErr.Detail + "\n"
	}
	if pgErr.Hint != "" {
		text += "HINT: " + pgErr.Hint + "\n"
	}
	s.says(text)
}
