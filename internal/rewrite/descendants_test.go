package rewrite_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/catalog"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// relatives are databases in which a table in transition has partitions,
// children or views; each is testdata/differential/NAME.sql with the statements
// in testdata/differential/NAME_statements.sql. Its column full_name, the second
// one, becomes name. What the rewriter knows is read from the server.
var relatives = []struct {
	name, table, def string
	// original and expanded are what the two databases have each for itself.
	original, expanded string
	// refusable: in some phases some statements must be refused.
	refusable bool
	// without are states that cannot be.
	without []string
}{
	{name: "partitions", table: "readings", def: "'nobody'::text"},
	// A child with a column full_name of its own keeps it.
	{name: "children", table: "animals", def: "'nobody'::text", without: []string{"named"}},
	{
		name: "views", table: "people", refusable: true,
		original: `create view targets as select id, full_name as label from people;`,
		expanded: `create view targets as select id, name as label from people;`,
		without:  []string{"off, no target yet", "contracted", "named"},
	},
}

func TestDifferentialRelatives(t *testing.T) {
	for _, r := range relatives {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			script, err := os.ReadFile("testdata/differential/" + r.name + ".sql")
			require.NoError(t, err)
			text, err := os.ReadFile("testdata/differential/" + r.name + "_statements.sql")
			require.NoError(t, err)
			statements := strings.Split(strings.TrimSpace(string(text)), ";\n")
			setup := string(script) + "create schema crossfade; create table crossfade.token();"
			moving := transform.Column{Name: "full_name", Type: "text", BaseType: "text", Default: r.def, Position: 2}

			original := newRelative(t, setup+r.original, r.table, moving, phase.Off)
			want := make([]observation, len(statements))
			for i, sql := range statements {
				if want[i] = original.observe(t, sql, sql, ""); want[i].Code == "42703" {
					want[i] = original.observe(t, sql, original.rewriter.Rewrite(sql).SQL, "")
				}
			}
			for _, s := range states {
				if slices.Contains(r.without, s.name) {
					continue
				}
				t.Run(s.name, func(t *testing.T) {
					t.Parallel()
					setup := setup + r.expanded
					if s.targets != missing {
						setup = string(script) + expansion(s, r.table, transform.Renamed(moving, "name"), "", "") +
							"create schema crossfade; create table crossfade.token();" + r.expanded
					}
					expanded := newRelative(t, setup, r.table, moving, s.phase)
					for i, sql := range statements {
						result := expanded.rewriter.Rewrite(sql)
						if result.Outcome == rewrite.Refused {
							assert.True(t, r.refusable || want[i].Code != "", "%s\nrefused: %s", sql, result.Refusal)
							continue
						}
						if !assert.Equal(t, want[i], expanded.observe(t, sql, result.SQL, s.phase)) {
							t.Logf("original:  %s\nrewritten: %s", sql, result.SQL)
						}
					}
				})
			}
		})
	}
}

// relative is such a database, with what the rewriter knows of it.
type relative struct {
	conn     *pgx.Conn
	catalog  rewrite.Catalog
	rewriter *rewrite.Rewriter
}

func newRelative(t *testing.T, setup, table string, moving transform.Column, p phase.Phase) relative {
	t.Helper()
	conn := pgtest.NewFrom(t, setup).Conn(t)
	view := fence.View{SearchPath: []string{"pg_catalog", "public"}, Transitions: []fence.Member{{
		ID: 1, Schema: "public", Table: table, Phase: p, Token: "token",
		Definition: ledger.Definition{Move: transform.Renamed(moving, "name")},
	}}}
	view.Transitions[0].Definition.KeepName = p == phase.Named
	snapshot, err := catalog.Read(t.Context(), conn.PgConn(), view)
	require.NoError(t, err)
	c := snapshot.Catalog(view, rewrite.StarsSource)
	rewriter, err := rewrite.New(c)
	require.NoError(t, err)
	return relative{conn, c, rewriter}
}

// observe runs a statement and rolls it back. The phase is "" for the original
// database.
func (r relative) observe(t *testing.T, original, sql string, p phase.Phase) (o observation) {
	t.Helper()
	ctx := context.Background()
	_, err := r.conn.Exec(ctx, "begin")
	require.NoError(t, err)
	defer func() {
		_, err := r.conn.Exec(ctx, "rollback")
		require.NoError(t, err)
	}()
	err = o.run(ctx, r.conn.PgConn(), statement{sql: original}, sql)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		o.Code = pgErr.Code
		return o
	}
	require.NoError(t, err, sql)
	for _, table := range r.catalog.Tables {
		var names []string
		for _, c := range table.Columns {
			if c.Name == "full_name" && p != "" && p != phase.Named && p.Behaviour().Read == phase.Target {
				c.Name = "name"
			}
			names = append(names, c.Name)
		}
		from := " from only " + table.Name.Schema + "." + table.Name.Name
		results, err := r.conn.PgConn().Exec(ctx, "select "+strings.Join(names, ", ")+from).ReadAll()
		require.NoError(t, err)
		o.Left = append(append(o.Left, from), read(results[0], "").Rows...)
		if p != "" && p.Behaviour().WritesBoth() {
			var n int
			require.NoError(t, r.conn.QueryRow(ctx, "select count(*)"+from+" where full_name is distinct from name").Scan(&n))
			o.Mismatches += n
		}
	}
	return o
}
