package sweep_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/sweep"
)

// tree is a table of three levels with the rows 1 to 200. In the order of their
// names: "A" (1 to 50), b0 and b1 (below b, 51 to 100), c (empty), and d (the
// default, the rest).
const tree = `
	create table item (id int, src text, dst text, primary key (id)) partition by range (id);
	create table b partition of item for values from (51) to (101) partition by hash (id);
	create table b0 partition of b for values with (modulus 2, remainder 0);
	create table b1 partition of b for values with (modulus 2, remainder 1);
	create table d partition of item default;
	create table c partition of item for values from (1000) to (2000);
	create table "A" (src text, id int primary key, dst text);
	alter table item attach partition "A" for values from (-100) to (51);
	insert into item select i, 'value ' || i from generate_series(1, 200) i`

func TestCopyLeafByLeaf(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tree)
	var parts []string
	o := f.options(ledger.Backfill)
	o.OnProgress = func(r sweep.Report) {
		if n := len(parts); n == 0 || parts[n-1] != r.Part {
			parts = append(parts, r.Part)
		}
	}
	p, err := sweep.Copy(ctx, f.conn, o)
	require.NoError(t, err)
	require.Equal(t, []string{`public."A"`, `public.b0`, `public.b1`, `public.d`}, parts)
	require.Equal(t, []string{"200"}, p.Position)
	f.checkCopied()

	f.exec(`update item set dst = 'x' where id in (3, 77, 199)`)
	p, err = sweep.Compare(ctx, f.conn, f.options(ledger.Verify))
	require.NoError(t, err)
	require.EqualValues(t, 200, p.RowsScanned)
	require.ElementsMatch(t, [][]string{{"3"}, {"77"}, {"199"}}, p.Samples)
}

func TestTableWithoutPartitionsOrRows(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `create table item (id int primary key, src text, dst text) partition by range (id)`)
	for range 2 {
		p, err := sweep.Copy(ctx, f.conn, f.options(ledger.Backfill))
		require.NoError(t, err)
		require.True(t, p.Finished())
		require.Zero(t, p.RowsScanned)
		require.NoError(t, ledger.ForgetProgress(ctx, f.conn, f.transition.ID, ledger.Backfill))
		f.exec(`create table if not exists a partition of item for values from (1) to (51)`)
	}
}

func TestResumeInAnyLeaf(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tree)
	for k, more := 1, true; more; k++ {
		f.forget()
		cancelled, cancel := context.WithCancel(ctx)
		batches := 0
		o := f.options(ledger.Backfill)
		o.OnProgress = func(sweep.Report) {
			if batches++; batches == k {
				cancel()
			}
		}
		_, err := sweep.Copy(cancelled, f.conn, o)
		if more = err != nil; more {
			require.ErrorIs(t, err, context.Canceled)
			_, err = sweep.Copy(ctx, f.conn, o)
		}
		require.NoError(t, err)
		cancel()
		f.checkCopied()
	}
}

// Partitions come and go while the sweep stands in one of them.
func TestPartitionsComeAndGo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ddl              string
		scanned, unequal int64
	}{
		"the one it is in is dropped":        {`drop table "A"`, 170, 0},
		"the one it is in is detached":       {`alter table item detach partition "A"`, 170, 0},
		"the next one is dropped":            {`drop table b`, 150, 0},
		"a leaf of the next one is detached": {`alter table b detach partition b0`, 173, 0},
		"the one it is in is renamed":        {`alter table "A" rename to e`, 220, 0},
		"the one it is in gets a lower name": {`alter table "A" rename to "!"`, 170, 30},
		"one is created": {`create table e partition of item for values from (2000) to (3000);
			insert into item select i, 'x', 'x' from generate_series(2000, 2009) i`, 210, 0},
		"one is attached": {`create table e (like item including all); insert into e select i, 'x' from generate_series(2000, 2009) i;
			alter table item attach partition e for values from (2000) to (3000)`, 210, 0},
		"one is attached behind": {`create table "!" (like item including all); insert into "!" select i, 'x' from generate_series(2000, 2009) i;
			alter table item attach partition "!" for values from (2000) to (3000)`, 200, 10},
		"rows move ahead":  {`update item set id = id + 1000 where id in (48, 49, 50)`, 200, 0},
		"rows move behind": {`update item set id = id - 200 where id in (198, 199, 200)`, 197, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, tree)
			done := false
			o := f.options(ledger.Backfill)
			o.OnProgress = func(sweep.Report) {
				if !done {
					f.exec(c.ddl)
					done = true
				}
			}
			p, err := sweep.Copy(ctx, f.conn, o)
			require.NoError(t, err)
			require.True(t, p.Finished())
			require.Equal(t, c.scanned, p.RowsScanned)
			v, err := sweep.Compare(ctx, f.conn, f.options(ledger.Verify))
			require.NoError(t, err)
			require.Equal(t, c.unequal, v.Mismatches, "a verification finds what was missed")
			require.Equal(t, c.unequal, f.different())
			require.NoError(t, ledger.ForgetProgress(ctx, f.conn, f.transition.ID, ledger.Backfill))
			_, err = sweep.Copy(ctx, f.conn, f.options(ledger.Backfill))
			require.NoError(t, err)
			require.Zero(t, f.different())
		})
	}
}

// A row that is locked in one leaf holds up neither that leaf nor the others. The
// last row of a leaf is the odd one: putting it aside ends the leaf.
func TestLockedRowInALeaf(t *testing.T) {
	t.Parallel()
	for _, id := range []int{30, 50, 200} {
		f := newFixture(t, tree)
		holder, err := f.db.Conn(t).Begin(ctx)
		require.NoError(t, err)
		_, err = holder.Exec(ctx, `select from item where id = $1 for update`, id)
		require.NoError(t, err)
		o := f.options(ledger.Backfill)
		o.LockTimeout = time.Millisecond
		o.OnProgress = func(r sweep.Report) {
			if len(r.Aside) > 0 && r.RowsScanned == 199 && holder != nil {
				require.NotEmpty(t, r.Aside[0].Part)
				require.EqualValues(t, 1, f.different())
				require.NoError(t, holder.Rollback(ctx))
				holder = nil
			}
		}
		_, err = sweep.Copy(ctx, f.conn, o)
		require.NoError(t, err)
		require.Nil(t, holder, "everything else was done first")
		f.checkCopied()
	}
}

// A batch locks the leaf it works in, and no other.
func TestLockedLeafHoldsUpOnlyItself(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tree)
	holder, err := f.db.Conn(t).Begin(ctx)
	require.NoError(t, err)
	locked, waited := false, false
	o := f.options(ledger.Backfill)
	o.LockTimeout = time.Millisecond
	o.OnProgress = func(r sweep.Report) {
		switch {
		case !locked:
			locked = true
			_, err := holder.Exec(ctx, `lock table only d in access exclusive mode`)
			require.NoError(t, err)
		case r.Waiting != "" && !waited:
			waited = true
			require.Equal(t, `public.b1`, r.Part, "it looks for the end of the next leaf")
			require.NoError(t, holder.Rollback(ctx))
		}
	}
	_, err = sweep.Copy(ctx, f.conn, o)
	require.NoError(t, err)
	require.True(t, waited)
	f.checkCopied()
}
