package synctrigger_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/synctrigger"
)

// One row, a hooked instance in each of two phases, and a writer without the
// hook. The model is one register: whatever anybody reads is what was written
// last. Every sequence of a few operations is run on the server, in a subtransaction each.
//
// This is part B of the compatibility matrix: with the trigger, every pair of
// phases works together, once the row has been filled.
type operation struct {
	name string
	// write gives the statement that writes value n, by a phase; "" reads.
	write func(phase.Phase, int) string
	// value is what the register holds afterwards.
	value func(before, n int) int
	// unhooked: it is the writer without the hook, whatever the phase.
	unhooked bool
}

// set is a SET clause of a hooked statement: s is what it gives the source.
func set(p phase.Phase, s string) string {
	switch b := p.Behaviour(); {
	case b.WritesBoth():
		return "s = " + s + ", t = 1000 + (" + s + ")"
	case b.WriteTarget:
		return "t = 1000 + (" + s + ")"
	}
	return "s = " + s
}

// seen is the register, as a phase reads it.
func seen(p phase.Phase) string {
	if p.Behaviour().Read == phase.Target {
		return "(t - 1000)"
	}
	return "s"
}

var operations = []operation{
	{name: "set", write: func(p phase.Phase, n int) string { return fmt.Sprintf("update x set %s", set(p, fmt.Sprint(n))) },
		value: func(_, n int) int { return n }},
	{name: "add", write: func(p phase.Phase, _ int) string { return "update x set " + set(p, seen(p)+" + 1") },
		value: func(before, _ int) int { return before + 1 }},
	{name: "replace", write: func(p phase.Phase, n int) string {
		columns, values := "s, t", fmt.Sprintf("%d, %d", n, 1000+n)
		switch b := p.Behaviour(); {
		case b.WritesBoth():
		case b.WriteTarget:
			columns, values = "t", fmt.Sprint(1000+n)
		default:
			columns, values = "s", fmt.Sprint(n)
		}
		return fmt.Sprintf("delete from x; insert into x (id, %s) values (1, %s)", columns, values)
	}, value: func(_, n int) int { return n }},
	{name: "touch", write: func(phase.Phase, int) string { return "update x set note = clock_timestamp()::text" },
		value: func(before, _ int) int { return before }},
	{name: "legacy set", unhooked: true, write: func(_ phase.Phase, n int) string { return fmt.Sprintf("update x set s = %d", n) },
		value: func(_, n int) int { return n }},
	{name: "legacy add", unhooked: true, write: func(phase.Phase, int) string { return "update x set s = s + 1" },
		value: func(before, _ int) int { return before + 1 }},
	{name: "new-style set", unhooked: true, write: func(_ phase.Phase, n int) string { return fmt.Sprintf("update x set t = %d", 1000+n) },
		value: func(_, n int) int { return n }},
	{name: "legacy replace", unhooked: true, write: func(_ phase.Phase, n int) string {
		return fmt.Sprintf("delete from x; insert into x (id, s) values (1, %d)", n)
	}, value: func(_, n int) int { return n }},
	{name: "legacy default", unhooked: true, write: func(phase.Phase, int) string { return "delete from x; insert into x (id) values (1)" },
		value: func(_, _ int) int { return 7 }},
	{name: "backfill", unhooked: true, write: func(phase.Phase, int) string { return "update x set t = 1000 + s where t is distinct from 1000 + s" },
		value: func(before, _ int) int { return before }},
}

func TestEveryPairOfPhases(t *testing.T) {
	t.Parallel()
	depth := 3
	if testing.Short() {
		depth = 2
	}
	move := renamed("integer")
	move.Kind = "change"
	move.Sources[0].Default, move.Sources[0].Value, move.Targets[0].Value = "7", "t - 1000", "s + 1000"
	db := pgtest.NewFrom(t, "create table x (id int primary key, note text, s int not null default 7, t int)")
	install(t, db, "x", move, synctrigger.Sync)
	conn := db.Conn(t)
	_, err := conn.Exec(t.Context(), "set synchronous_commit = off; insert into x (id, s) values (1, 0)")
	require.NoError(t, err)
	// off is over when the trigger comes; the others behave as one of these.
	phases := []phase.Phase{phase.DualWrite, phase.Live, phase.Complete}
	runs := 0
	var walk func(path string, value, level int)
	walk = func(path string, value, level int) {
		if level == depth {
			runs++
			return
		}
		for _, o := range operations {
			for _, p := range phases {
				name := fmt.Sprintf("%s / %s in %s", path, o.name, p)
				if o.unhooked {
					name = path + " / " + o.name
				}
				next := o.value(value, 10*level+20)
				var s, target int
				batch := fmt.Sprintf("savepoint l%d; %s", level, o.write(p, 10*level+20))
				_, err := conn.Exec(t.Context(), batch, pgx.QueryExecModeSimpleProtocol)
				require.NoError(t, err, name)
				require.NoError(t, conn.QueryRow(t.Context(), "select s, t from x").Scan(&s, &target), name)
				require.Equal(t, []int{next, 1000 + next}, []int{s, target}, name)
				walk(name, next, level+1)
				_, err = conn.Exec(t.Context(), fmt.Sprintf("rollback to l%d", level))
				require.NoError(t, err)
				if o.unhooked {
					break
				}
			}
		}
	}
	_, err = conn.Exec(t.Context(), "begin")
	require.NoError(t, err)
	walk("filled", 0, 0)
	// Before the backfill the target is NULL; what the trigger sees of a row it fills.
	_, err = conn.Exec(t.Context(), "alter table x disable trigger user; update x set t = null; alter table x enable always trigger zzzz_crossfade_t7_sync")
	require.NoError(t, err)
	for _, o := range operations {
		if o.name == "touch" { // leaves it to the backfill
			continue
		}
		_, err := conn.Exec(t.Context(), "savepoint u; "+o.write(phase.DualWrite, 5), pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err)
		want := o.value(0, 5)
		require.Equal(t, []string{fmt.Sprintf("(%d,%d)", want, 1000+want)}, rows(t, conn, "select row(s, t)::text from x"), o.name)
		_, err = conn.Exec(t.Context(), "rollback to u")
		require.NoError(t, err)
	}
	require.Greater(t, runs, 100)
}
