package dualwrite_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

// of are the events of a kind.
func (f *fixture) of(kind dualwrite.EventKind) (list []dualwrite.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.events {
		if e.Kind == kind {
			list = append(list, e)
		}
	}
	return list
}

func TestOpaqueText(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	ctx := t.Context()
	const block = `do $$ begin update users set full_name = 'block' where id = 1; end $$`

	_, err := f.pool(f.hook()).Exec(ctx, block)
	_, ok := dualwrite.AsRefusal(err)
	require.True(t, ok, "%v", err)

	pool := f.pool(f.hook(func(c *dualwrite.Config) { c.OpaqueText = dualwrite.PolicyReport }))
	for range 2 {
		_, err = pool.Exec(ctx, block)
		require.NoError(t, err)
	}
	source, target := f.both(1)
	require.Equal(t, []string{"block", "user 1"}, []string{source, target}, "it went out as it was")
	reported := f.of(dualwrite.Reported)
	require.Len(t, reported, 2, "each time")
	require.Equal(t, block, reported[0].SQL)
	var refusal *dualwrite.Refusal
	require.ErrorAs(t, reported[0].Err, &refusal)
	require.Contains(t, refusal.Message, "DO mentions public.users")
	require.Equal(t, 1, refusal.Position)
}

// TestOpaqueCalls: a function is reported once, however often and in whichever
// way it is called.
func TestOpaqueCalls(t *testing.T) {
	f := moving(t)
	f.exec(`create function label(bigint) returns text language sql as 'select full_name from users where id = $1'`)
	f.exec(`create procedure clean() language plpgsql as $$ begin update users set full_name = trim(full_name); end $$`)
	f.to(phase.DualWrite)
	ctx := t.Context()
	pool := f.pool(f.hook())
	for _, mode := range modes {
		var label string
		require.NoError(t, pool.QueryRow(ctx, `select label($1)`, mode, int64(1)).Scan(&label))
		require.Equal(t, "user 1", label)
		_, err := pool.Exec(ctx, `call clean()`, mode)
		require.NoError(t, err)
	}
	require.Len(t, f.of(dualwrite.Reported), 2)
	require.Zero(t, f.seen(dualwrite.Refused))

	strict := f.pool(f.hook(func(c *dualwrite.Config) { c.OpaqueCalls = dualwrite.PolicyRefuse }))
	for _, sql := range []string{`select label(1)`, `call clean()`} {
		_, err := strict.Exec(ctx, sql)
		refusal, ok := dualwrite.AsRefusal(err)
		require.True(t, ok, "%v", err)
		require.Contains(t, refusal.Message, "the body of function public.")
	}
}

func TestPolicyMustBeKnown(t *testing.T) {
	_, err := dualwrite.New(dualwrite.Config{OpaqueCalls: "warn"})
	require.ErrorContains(t, err, `OpaqueCalls is "warn", must be "refuse" or "report"`)
}

// TestViewsHoldTheirPhase: who reads a view over the column holds the phase's
// token, and afterwards the view is not taken for right any more.
func TestViewsHoldTheirPhase(t *testing.T) {
	f := moving(t)
	f.exec(`create view labels as select id, full_name as label from users`)
	f.to(phase.RampDown)
	ctx := t.Context()
	pool := f.pool(f.hook())
	tx, err := pool.Begin(ctx)
	require.NoError(t, err)
	var label string
	require.NoError(t, tx.QueryRow(ctx, `select label from labels where id = 1`).Scan(&label))
	require.Equal(t, "user 1", label)
	_, err = pool.Exec(ctx, `update labels set label = 'x' where id = 1`)
	_, refused := dualwrite.AsRefusal(err)
	require.True(t, refused, "%v", err)

	f.step(phase.Complete)
	require.True(t, f.held(), "the reader holds the token of the phase that is left")
	require.NoError(t, tx.Commit(ctx))
	f.drop()

	require.NoError(t, pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		_, err := c.Exec(ctx, `select label from labels where id = 1`)
		if dualwrite.IsStalePhase(err) {
			return nil
		}
		_, refused := dualwrite.AsRefusal(err)
		require.True(t, refused, "%v", err)
		return nil
	}))
	fresh := f.pool(f.hook())
	_, err = fresh.Exec(ctx, `select label from labels where id = 1`)
	refusal, refused := dualwrite.AsRefusal(err)
	require.True(t, refused, "%v", err)
	require.Contains(t, refusal.Hint, "Make the view anew over name")
}

// held tells whether somebody holds the token that is being drained.
func (f *fixture) held() bool {
	err := pgx.BeginFunc(context.Background(), f.admin, func(tx pgx.Tx) error {
		_, err := tx.Exec(context.Background(), `lock table crossfade.`+f.move.Draining+` in access exclusive mode nowait`)
		return err
	})
	var pgErr *pgconn.PgError
	if err != nil {
		pgErr = pgError(f.t, err)
	}
	return pgErr != nil && pgErr.Code == "55P03"
}
