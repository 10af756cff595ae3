package compat

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"testing"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

const sectionFeatures = "Features of pgx"

// features of pgx, each used in every phase.
var features = []subject{
	{sectionFeatures, "`Batch`, `NamedArgs`, `RowToStructByName`, `BeginFunc` and savepoints, `Prepare`, LISTEN and NOTIFY, large objects", "", inEveryPhase(useFeatures)},
	{sectionFeatures, "enums and composites, registered in `AfterConnect`", "", customTypes},
	{sectionFeatures, "tracers: otelpgx with another in multitracer", "github.com/exaring/otelpgx", tracers},
	{sectionFeatures, "`CopyFrom` into a table that moves", "", copyRefused},
	{sectionFeatures, "`CopyFrom` beside a trigger", "", copySynced},
}

// inEveryPhase runs use in every phase of one journey.
func inEveryPhase(use func(*journey, *pgxpool.Pool, string)) func(*testing.T) outcome {
	return func(t *testing.T) outcome {
		j := newJourney(t, "")
		pool := j.pool(nil)
		j.follow()
		j.travel(func(where string) { use(j, pool, where) })
		return outcome{works, ""}
	}
}

func useFeatures(j *journey, pool *pgxpool.Pool, where string) {
	ctx, t := j.t.Context(), j.t
	ada, grace := "Ada, "+where, "Grace, "+where
	var ids []int64
	var users []User
	batch := &pgx.Batch{}
	const insert = `insert into users (full_name, email) values (@name, @email) returning id`
	for _, name := range []string{ada, grace} {
		batch.Queue(insert, pgx.NamedArgs{"name": name, "email": name}).QueryRow(func(row pgx.Row) error {
			ids = append(ids, 0)
			return row.Scan(&ids[len(ids)-1])
		})
	}
	batch.Queue(`select * from users where full_name in ($1, $2) order by id`, ada, grace).Query(func(rows pgx.Rows) (err error) {
		users, err = pgx.CollectRows(rows, pgx.RowToStructByName[User])
		return err
	})
	require.NoError(t, pool.SendBatch(ctx, batch).Close(), where)
	require.Equal(t, []User{{ids[0], ada, ada, 0}, {ids[1], grace, grace, 0}}, users, where)

	conn, err := pool.Acquire(ctx)
	require.NoError(t, err, where)
	defer conn.Release()
	_, err = conn.Exec(ctx, `listen renamed`)
	require.NoError(t, err, where)
	var object uint32
	require.NoError(t, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `update users set full_name = full_name || ' King' where id = $1`, ids[0]); err != nil {
			return err
		}
		err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { // a savepoint
			if _, err := tx.Exec(ctx, `update users set full_name = 'undone' where id = $1`, ids[1]); err != nil {
				return err
			}
			return io.EOF
		})
		if err != io.EOF {
			return fmt.Errorf("savepoint: %w", err)
		}
		objects := tx.LargeObjects()
		if object, err = objects.Create(ctx, 0); err != nil {
			return err
		}
		photo, err := objects.Open(ctx, object, pgx.LargeObjectModeWrite)
		if err != nil {
			return err
		}
		if _, err := photo.Write([]byte(where)); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `select pg_notify('renamed', full_name) from users where id = $1`, ids[0])
		return err
	}), where)
	heard, err := conn.Conn().WaitForNotification(ctx)
	require.NoError(t, err, where)
	require.Equal(t, ada+" King", heard.Payload)

	_, err = conn.Conn().Prepare(ctx, "by_name", `select id from users where full_name = $1`)
	require.NoError(t, err, where)
	for i, name := range []string{ada + " King", grace} {
		var id int64
		require.NoError(t, conn.QueryRow(ctx, "by_name", name).Scan(&id), where)
		require.Equal(t, ids[i], id)
	}
	var photo []byte
	require.NoError(t, conn.QueryRow(ctx, `select lo_get($1)`, object).Scan(&photo))
	require.Equal(t, where, string(photo))
}

func customTypes(t *testing.T) outcome {
	j := newJourney(t, `
		create type mood as enum ('good', 'bad');
		create type address as (street text, zip int);
		create table profiles (user_id bigint references users, mood mood not null, home address not null);`)
	type address struct {
		Street string
		Zip    int32
	}
	pool := j.pool(func(c *pgxpool.Config) {
		c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			types, err := conn.LoadTypes(ctx, []string{"mood", "_mood", "address"})
			if err != nil {
				return err
			}
			conn.TypeMap().RegisterTypes(types)
			return nil
		}
	})
	j.follow()
	j.travel(func(where string) {
		ctx := t.Context()
		home := address{"Main Street of " + where, 12345}
		var id int64
		require.NoError(t, pool.QueryRow(ctx, `with u as (insert into users (full_name, email) values ($1, $1) returning id)
			insert into profiles select id, $2, $3 from u returning user_id`, where, "bad", home).Scan(&id), where)
		var name, mood string
		var got address
		require.NoError(t, pool.QueryRow(ctx, `select u.full_name, p.mood, p.home from users u join profiles p on p.user_id = u.id
			where u.full_name = $1 and p.mood = any($2)`, where, []string{"bad", "good"}).Scan(&name, &mood, &got), where)
		require.Equal(t, where, name)
		require.Equal(t, "bad", mood)
		require.Equal(t, home, got)
	})
	return outcome{works, ""}
}

// seeing counts the statements that have the application's text.
type seeing struct {
	text string
	n    atomic.Int64
}

func (s *seeing) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if data.SQL == s.text {
		s.n.Add(1)
	}
	return ctx
}

func (s *seeing) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func tracers(t *testing.T) outcome {
	s := &seeing{text: `select count(*) from users where full_name = $1`}
	j := newJourney(t, "")
	pool := j.pool(func(c *pgxpool.Config) { c.ConnConfig.Tracer = multitracer.New(otelpgx.NewTracer(), s) })
	j.follow()
	visits := 0
	j.travel(func(where string) {
		visits++
		n, err := pgxShop{pool}.Count(t.Context(), "nobody")
		require.NoError(t, err, where)
		require.Zero(t, n)
		require.EqualValues(t, visits, s.n.Load(), where)
	})
	return outcome{works, "they see the application's text, not what is sent"}
}

// copyUsers copies a row of users in.
func copyUsers(ctx context.Context, pool *pgxpool.Pool, name string) error {
	_, err := pool.CopyFrom(ctx, pgx.Identifier{"users"}, []string{"full_name", "email"},
		pgx.CopyFromRows([][]any{{name, pgtype.Text{String: name, Valid: true}}}))
	return err
}

func copyRefused(t *testing.T) outcome {
	j := newJourney(t, "")
	pool := j.pool(nil)
	j.follow()
	var refusal *dualwrite.Refusal
	copied := 0
	j.travel(func(where string) {
		err := copyUsers(t.Context(), pool, where)
		if r, ok := dualwrite.AsRefusal(err); ok {
			require.NotContains(t, []migrator.Phase{"", migrator.Contracted}, j.position, where)
			refusal = r
			return
		}
		require.NoError(t, err, where)
		require.Contains(t, []migrator.Phase{"", migrator.Contracted}, j.position, where)
		copied++
	})
	require.Equal(t, 2, copied)
	return outcome{notSupported, fmt.Sprintf("`%s` (%s) Before the transition and after contract it works.", refusal.Message, refusal.Hint)}
}

func copySynced(t *testing.T) outcome {
	j := newJourney(t, "")
	j.moves = nil
	for _, move := range moves {
		move.Sync = "trigger"
		j.moves = append(j.moves, move)
	}
	pool := j.pool(nil)
	j.follow()
	j.travel(func(where string) {
		err := copyUsers(t.Context(), pool, where)
		if j.position == migrator.Off || j.position == migrator.DualWrite { // the trigger comes with the backfill
			if _, refused := dualwrite.AsRefusal(err); refused {
				return
			}
		}
		// A trigger that has just been made is noticed within DriftInterval.
		pgtest.WaitFor(t, "the trigger to be noticed in "+where, func() bool {
			if _, refused := dualwrite.AsRefusal(err); !refused {
				return true
			}
			err = copyUsers(t.Context(), pool, where)
			return false
		})
		require.NoError(t, err, where)
		n, err := pgxShop{pool}.Count(t.Context(), where)
		require.NoError(t, err, where)
		require.EqualValues(t, 1, n, where)
	})
	return outcome{worksWith, "`sync: trigger` in the transition's file; refused in off and dualwrite, as the trigger comes with the backfill, and until the hook has noticed it (`DriftInterval`)"}
}
