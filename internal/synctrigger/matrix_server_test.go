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

// matrixTable is a row on the server in place of a cell.
type matrixTable struct {
	t    *testing.T
	conn *pgx.Conn
}

// newMatrixTable leaves a transaction open.
func newMatrixTable(t *testing.T, m mode) matrixTable {
	t.Helper()
	move := renamed("integer")
	move.Kind = "change"
	move.Sources[0].Value, move.Targets[0].Value = fmt.Sprintf("t - %d", shift), fmt.Sprintf("s + %d", shift)
	db := pgtest.NewFrom(t, "create table x (id int primary key, note text, s int, t int)")
	if m != without {
		install(t, db, "x", move, map[mode]synctrigger.Mode{syncing: synctrigger.Sync, refusing: synctrigger.Refuse}[m])
	}
	x := matrixTable{t, db.Conn(t)}
	x.exec("set synchronous_commit = off; begin")
	return x
}

func (x matrixTable) exec(sql string) {
	x.t.Helper()
	_, err := x.conn.Exec(x.t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
	require.NoError(x.t, err, sql)
}

func (x matrixTable) begin() {
	x.t.Helper()
	x.exec(fmt.Sprintf("delete from x; insert into x (id, s, t) values (1, 1, %d)", 1+shift))
}

// do is what the hook makes of an operation in a phase; it returns what that reads.
func (x matrixTable) do(name string, p phase.Phase, v int) (read int) {
	x.t.Helper()
	if name == "read" || name == "add" {
		require.NoError(x.t, x.conn.QueryRow(x.t.Context(), "select coalesce("+seen(p)+", -1) from x").Scan(&read))
	}
	switch name {
	case "insert":
		columns, values := "s, t", fmt.Sprintf("%d, %d", v, v+shift)
		if b := p.Behaviour(); !b.WriteTarget {
			columns, values = "s", fmt.Sprint(v)
		} else if !b.WritesBoth() {
			columns, values = "t", fmt.Sprint(v+shift)
		}
		x.exec(fmt.Sprintf("insert into x (id, %s) values (1, %s)", columns, values))
	case "set":
		x.exec("update x set " + set(p, fmt.Sprint(v)))
	case "add":
		x.exec("update x set " + set(p, seen(p)+" + 1"))
	case "touch":
		x.exec("update x set note = clock_timestamp()::text")
	case "delete":
		x.exec("delete from x")
	}
	return read
}

// row is what the server has of the row.
func (x matrixTable) row(register int) cell {
	x.t.Helper()
	got := cell{null, null, register}
	if register != null {
		require.NoError(x.t, x.conn.QueryRow(x.t.Context(), "select coalesce(s, -1), coalesce(t, -1) from x").Scan(&got.s, &got.t))
	}
	return got
}

// TestMatrixOnServer runs some of the sequences on the server, whose row must be
// the model's after each operation.
func TestMatrixOnServer(t *testing.T) {
	t.Parallel()
	sequences := 300
	if testing.Short() {
		sequences = 60
	}
	for name, m := range map[string]mode{"without": without, "sync": syncing, "refuse": refusing} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newMatrixTable(t, m)
			random := rand.New(rand.NewPCG(1, 2))
			phases := []phase.Phase{phase.Off, phase.DualWrite, phase.Shadow, phase.Live, phase.Complete}
			for range sequences {
				x.begin()
				c, path := filled, "filled"
				for level := range 5 {
					s, p, v := steps[random.IntN(len(steps))], phases[random.IntN(len(phases))], value(level, 0)
					next, applies, _ := s.do(c, p, v, m, write)
					if !applies || next.register != null && next.s == null && next.t == null {
						continue // a row of which a stale writer has left nothing
					}
					path += fmt.Sprintf(" / %s in %s", s.name, p)
					x.do(s.name, p, v)
					require.Equal(t, next, x.row(next.register), path)
					c = next
				}
			}
		})
	}
}

// TestForbiddenPairsOnServer: each sequence that the model finds wrong reads
// something wrong on the server too. With the trigger it does not.
func TestForbiddenPairsOnServer(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]mode{"without": without, "sync": syncing} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newMatrixTable(t, m)
			forbidden := 0
			for _, row := range pairs {
				_, wrong, _ := matrix{row.a, row.b, filled, false, without, 4, write}.search()
				require.Equal(t, row.after, len(wrong) == 0)
				for _, path := range wrong {
					forbidden++
					x.begin()
					c, read := filled, 0
					text := "filled"
					for level, a := range path {
						p, who := row.a, 0
						if a.second {
							p, who = row.b, 1
						}
						s, before := steps[a.step], c.register
						text += fmt.Sprintf(" / %s in %s", s.name, p)
						read = x.do(s.name, p, value(level, who))
						c, _, _ = s.do(c, p, value(level, who), m, write)
						if level == len(path)-1 {
							require.Equal(t, m == syncing, read == before, text)
						}
					}
				}
			}
			require.Greater(t, forbidden, 10)
		})
	}
}
