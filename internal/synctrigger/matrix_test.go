package synctrigger_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/synctrigger"
)

// The compatibility matrix: one row, an instance in each of two phases, and
// somebody who copies forward (a backfill, or a tail), in every order of their
// operations. The specification is one register. What the matrix forbids must go
// wrong in some order, or the model would prove nothing.

// null stands for NULL, in a column, and in the register for no row.
const null = -1

const shift = 1000 // the target is the source and that

// cell is the row and the register. A row that is not there has NULL in both.
type cell struct{ s, t, register int }

func forward(s int) int {
	if s == null {
		return null
	}
	return s + shift
}

func backward(t int) int {
	if t == null {
		return null
	}
	return t - shift
}

// read is what a phase reads.
func (c cell) read(p phase.Phase) int {
	if p.Behaviour().Read == phase.Target {
		return backward(c.t)
	}
	return c.s
}

// write puts v where a phase writes; of a new row the rest is NULL. The trigger
// goes by what has changed.
func (c cell) write(p phase.Phase, v int, trigger bool) cell {
	next := c
	b := p.Behaviour()
	if b.WritesBoth() || !b.WriteTarget {
		next.s = v
	}
	if b.WriteTarget {
		next.t = forward(v)
	}
	switch {
	case !trigger || next.t == forward(next.s):
	case next.s != c.s && next.t == c.t:
		next.t = forward(next.s)
	case next.s == c.s && next.t != c.t:
		next.s = backward(next.t)
	}
	return next
}

// step is what somebody does. It may not apply; it is not right when it reads what
// nobody has written last.
type step struct {
	name string
	do   func(c cell, p phase.Phase, v int, trigger bool) (next cell, applies, right bool)
}

var steps = []step{
	{"insert", func(c cell, p phase.Phase, v int, trigger bool) (cell, bool, bool) {
		if c.register != null {
			return c, false, true
		}
		next := cell{null, null, null}.write(p, v, trigger)
		next.register = v
		return next, true, true
	}},
	{"set", func(c cell, p phase.Phase, v int, trigger bool) (cell, bool, bool) {
		next := c.write(p, v, trigger)
		next.register = v
		return next, c.register != null, true
	}},
	{"add", func(c cell, p phase.Phase, _ int, trigger bool) (cell, bool, bool) {
		v := c.read(p)
		right := v == c.register
		if v != null {
			v++
		}
		next := c.write(p, v, trigger)
		next.register = c.register + 1
		return next, c.register != null, right
	}},
	{"read", func(c cell, p phase.Phase, _ int, _ bool) (cell, bool, bool) {
		return c, c.register != null, c.read(p) == c.register
	}},
	{"delete", func(c cell, _ phase.Phase, _ int, _ bool) (cell, bool, bool) {
		return cell{null, null, null}, c.register != null, true
	}},
}

// verdict is what was found of a pair: every read was right; in every state that
// can be reached the source is right, and so is the target, at once or when
// whoever copies has been there.
type verdict struct{ reads, source, target, converges bool }

// search runs every sequence of that many operations.
func search(a, b phase.Phase, begin cell, copier, trigger bool, depth int) (v verdict, runs int) {
	v = verdict{true, true, true, true}
	var walk func(c cell, level int)
	look := func(c cell) {
		if c.register == null {
			return
		}
		v.source = v.source && c.s == c.register
		v.target = v.target && c.t == forward(c.register)
		copied := c
		copied.t = forward(c.s)
		v.converges = v.converges && copied.t == forward(c.register)
	}
	walk = func(c cell, level int) {
		look(c)
		if level == depth {
			runs++
			return
		}
		for _, s := range steps {
			for i, p := range []phase.Phase{a, b} {
				if i == 1 && a == b {
					continue // the same again
				}
				next, applies, right := s.do(c, p, 10*(level+1)+i, trigger)
				if applies {
					v.reads = v.reads && right
					walk(next, level+1)
				}
			}
		}
		if copier && c.register != null {
			next := c
			next.t = forward(c.s)
			walk(next, level+1)
		}
	}
	walk(begin, 0)
	return v, runs
}

func TestCompatibilityMatrix(t *testing.T) {
	t.Parallel()
	depth := 5
	if testing.Short() {
		depth = 4
	}
	off, dual, shadow, live, complete := phase.Off, phase.DualWrite, phase.Shadow, phase.Live, phase.Complete
	filled, unfilled := cell{1, 1 + shift, 1}, cell{1, null, 1}
	total := 0
	find := func(a, b phase.Phase, begin cell, copier, trigger bool) verdict {
		v, runs := search(a, b, begin, copier, trigger, depth)
		total += runs
		return v
	}
	// Reads after the backfill; before it, while it runs; after it, when somebody
	// copies forward still; and which side the next step may rely on.
	for _, row := range []struct {
		a, b                    phase.Phase
		after, before, copies   bool
		source, target, catches bool
	}{
		{off, off, true, true, true, true, false, true},
		{off, dual, true, true, true, true, false, true},
		{off, shadow, true, true, true, true, false, true},
		{off, live, false, false, false, false, false, false},
		{off, complete, false, false, false, false, false, false},
		{dual, dual, true, true, true, true, true, true},
		{dual, shadow, true, true, true, true, true, true},
		{shadow, shadow, true, true, true, true, true, true},
		{dual, live, true, false, true, true, true, true},
		{shadow, live, true, false, true, true, true, true},
		{dual, complete, false, false, false, false, false, false},
		{shadow, complete, false, false, false, false, false, false},
		{live, live, true, false, true, true, true, true},
		{live, complete, true, false, false, false, true, false},
		{complete, complete, true, false, false, false, true, false},
	} {
		name := fmt.Sprintf("%s with %s", row.a, row.b)
		after := find(row.a, row.b, filled, false, false)
		require.Equal(t, row.after, after.reads, "%s: reads after the backfill", name)
		require.Equal(t, row.before, find(row.a, row.b, unfilled, true, false).reads, "%s: reads before the backfill", name)
		copied := find(row.a, row.b, filled, true, false)
		require.Equal(t, row.copies, copied.reads, "%s: reads while somebody copies", name)
		// A tail is somebody who copies: what is half written becomes whole, as
		// long as the source is the authority.
		require.Equal(t, row.catches, copied.converges, "%s: becomes whole", name)
		if row.after {
			require.Equal(t, row.source, after.source, "%s: the source", name)
			require.Equal(t, row.target, after.target, "%s: the target", name)
		}
		// With the trigger everything works together after the backfill.
		require.Equal(t, verdict{true, true, true, true}, find(row.a, row.b, filled, true, true), "%s: with a trigger", name)
	}
	t.Logf("%d runs of %d operations", total, depth)
	require.Greater(t, total, 10_000)
}

// TestMatrixOnServer runs some of the sequences on the server, whose row must be
// the model's after each operation.
func TestMatrixOnServer(t *testing.T) {
	t.Parallel()
	sequences := 300
	if testing.Short() {
		sequences = 60
	}
	for _, trigger := range []bool{false, true} {
		t.Run(fmt.Sprintf("trigger %t", trigger), func(t *testing.T) {
			t.Parallel()
			move := renamed("integer")
			move.Kind = "change"
			move.Sources[0].Value, move.Targets[0].Value = fmt.Sprintf("t - %d", shift), fmt.Sprintf("s + %d", shift)
			db := pgtest.NewFrom(t, "create table x (id int primary key, note text, s int, t int)")
			if trigger {
				install(t, db, "x", move, synctrigger.Sync)
			}
			conn := db.Conn(t)
			_, err := conn.Exec(t.Context(), "set synchronous_commit = off; begin")
			require.NoError(t, err)
			random := rand.New(rand.NewPCG(1, 2))
			phases := []phase.Phase{phase.Off, phase.DualWrite, phase.Shadow, phase.Live, phase.Complete}
			exec := func(sql string) {
				_, err := conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
				require.NoError(t, err, sql)
			}
			for range sequences {
				exec(fmt.Sprintf("delete from x; insert into x (id, s, t) values (1, 1, %d)", 1+shift))
				c, path := cell{1, 1 + shift, 1}, "filled"
				for level := range 5 {
					s, p, v := steps[random.IntN(len(steps))], phases[random.IntN(len(phases))], 10*(level+1)
					next, applies, _ := s.do(c, p, v, trigger)
					if !applies || next.s == null && next.t == null && s.name != "delete" {
						continue // a row of which a stale writer has left nothing
					}
					path += fmt.Sprintf(" / %s in %s", s.name, p)
					switch s.name {
					case "insert":
						columns, values := "s, t", fmt.Sprintf("%d, %d", v, v+shift)
						if b := p.Behaviour(); !b.WriteTarget {
							columns, values = "s", fmt.Sprint(v)
						} else if !b.WritesBoth() {
							columns, values = "t", fmt.Sprint(v+shift)
						}
						exec(fmt.Sprintf("insert into x (id, %s) values (1, %s)", columns, values))
					case "set":
						exec("update x set " + set(p, fmt.Sprint(v)))
					case "add":
						exec("update x set " + set(p, seen(p)+" + 1"))
					case "delete":
						exec("delete from x")
					}
					got := cell{null, null, next.register}
					if next.register != null {
						require.NoError(t, conn.QueryRow(t.Context(), "select coalesce(s, -1), coalesce(t, -1) from x").Scan(&got.s, &got.t), path)
					}
					require.Equal(t, next, got, path)
					c = next
				}
			}
		})
	}
}
