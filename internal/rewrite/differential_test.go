package rewrite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// state is an expanded database as it can be in a phase.
type state struct {
	name  string
	phase phase.Phase
	// ddl changes one column of a table: %[1]s is the table, %[2]s the source,
	// %[3]s the target, %[4]s its type and %[5]s a wrong value.
	ddl string
}

var states = []state{
	{"off, no target yet", phase.Off, ""},
	{"off, target wrong", phase.Off, expand + `update %[1]s set %[3]s = %[5]s;`},
	{"dualwrite", phase.DualWrite, expand + fill},
	{"live", phase.Live, expand + fill},
	{"complete, source wrong", phase.Complete, expand + fill +
		`update %[1]s set %[2]s = %[5]s; alter table %[1]s alter column %[2]s drop default;`},
	{"contracted", phase.Contracted, expand + fill + `alter table %[1]s drop column %[2]s;`},
}

const (
	expand = `alter table %[1]s add column %[3]s %[4]s;`
	fill   = `update %[1]s set %[3]s = %[2]s;`
)

// TestDifferential runs each statement of the corpus as it is on the original
// database, and rewritten on expanded ones, and compares everything that an
// application can see, and what is left behind.
func TestDifferential(t *testing.T) {
	script, err := os.ReadFile("testdata/differential/original.sql")
	require.NoError(t, err)
	tokens := "create schema crossfade;"
	for _, tr := range testCatalog(phase.Off).Transitions {
		tokens += "create table crossfade." + tr.Token + "();"
	}
	original := pgtest.NewFrom(t, string(script)+tokens).Conn(t)
	catalog := testCatalog(phase.Off)
	cases := corpus(t)
	want := make([]observation, len(cases))
	for i, c := range cases {
		if c.refused {
			continue
		}
		want[i] = observe(t, original, c, c.sql, "", catalog)
		if want[i].Code == "42703" {
			// It names the target, which the original database does not have:
			// what phase off makes of it shows what it means.
			want[i] = observe(t, original, c, newRewriter(t, phase.Off).Rewrite(c.sql).SQL, "", catalog)
		}
	}
	for _, s := range states {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			setup := string(script) + tokens
			catalog := testCatalog(s.phase)
			for _, tr := range catalog.Transitions {
				if s.ddl != "" {
					typ, wrong := movingType(tr), "null"
					if typ == "text" {
						wrong = "'wrong ' || id"
					}
					setup += fmt.Sprintf(s.ddl, tr.Table.Name, tr.Sources[0].Name, tr.Targets[0].Name, typ, wrong)
				}
			}
			if s.ddl != "" {
				setup += "create unique index on users (name);"
			}
			conn := pgtest.NewFrom(t, setup).Conn(t)
			r := newRewriter(t, s.phase)
			for i, c := range cases {
				result := r.Rewrite(c.sql)
				if c.refused {
					assert.Equal(t, rewrite.Refused, result.Outcome, "%s: %s", c.place, c.sql)
					continue
				}
				if result.Outcome == rewrite.Refused {
					if want[i].Code != "" {
						continue // PostgreSQL rejects it too
					}
					t.Errorf("%s: %s\nrefused: %s", c.place, c.sql, result.Refusal.Message)
					continue
				}
				got := observe(t, conn, c, result.SQL, s.phase, catalog)
				if !assert.Equal(t, want[i], got, c.place) {
					t.Logf("original:  %s\nrewritten: %s", c.sql, result.SQL)
				}
			}
		})
	}
}

// movingType is the type of the column in transition.
func movingType(tr rewrite.Transition) string { return tr.Sources[0].Type }

// statement is one case of the corpus.
type statement struct {
	place   string
	sql     string
	args    [][]byte
	refused bool
}

// corpus reads testdata/corpus/*.sql: statements stand in paragraphs, before
// each come lines of options.
func corpus(t testing.TB) (list []statement) {
	t.Helper()
	files, err := filepath.Glob("testdata/corpus/*.sql")
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		for i, paragraph := range strings.Split(string(data), "\n\n") {
			c := statement{place: fmt.Sprintf("%s, paragraph %d", filepath.Base(file), i+1)}
			var lines []string
			for line := range strings.SplitSeq(strings.TrimSpace(paragraph), "\n") {
				if args, ok := strings.CutPrefix(line, "-- args: "); ok {
					for arg := range strings.SplitSeq(args, "|") {
						if arg == "null" {
							c.args = append(c.args, nil)
							continue
						}
						c.args = append(c.args, []byte(arg))
					}
				} else if line == "-- refused" {
					c.refused = true
				} else {
					lines = append(lines, line)
				}
			}
			if c.sql = strings.Join(lines, "\n"); c.sql != "" {
				list = append(list, c)
			}
		}
	}
	return list
}

// observation is what can be seen of a statement.
type observation struct {
	Code       string
	ParamOIDs  []uint32
	Results    []result
	Left       []string
	Mismatches int
}

type result struct {
	Columns []string
	Rows    []string
	Tag     string
}

// observe runs a statement in a transaction of its own and rolls it back. The
// phase is "" for the original database.
func observe(t *testing.T, conn *pgx.Conn, c statement, sql string, p phase.Phase, catalog rewrite.Catalog) (o observation) {
	t.Helper()
	ctx := t.Context()
	must := func(sql string) {
		_, err := conn.Exec(ctx, sql)
		require.NoError(t, err)
	}
	must("begin; set local timezone = 'UTC'; select setval('public.codes', 100, false)")
	defer must("rollback")
	err := o.run(ctx, conn.PgConn(), c, sql)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		o.Code = pgErr.Code
		return o
	}
	require.NoError(t, err, sql)
	o.leave(t, conn, p, catalog)
	return o
}

func (o *observation) run(ctx context.Context, conn *pgconn.PgConn, c statement, sql string) error {
	if strings.Contains(c.sql, ";") {
		results, err := conn.Exec(ctx, sql).ReadAll()
		for _, r := range results {
			o.Results = append(o.Results, read(r, c.sql))
		}
		return err
	}
	d, err := conn.Prepare(ctx, "", sql, nil)
	if err != nil {
		return err
	}
	o.ParamOIDs = d.ParamOIDs
	r := conn.ExecPrepared(ctx, "", c.args, nil, nil).Read()
	o.Results = append(o.Results, read(r, c.sql))
	return r.Err
}

func read(r *pgconn.Result, sql string) (out result) {
	for _, f := range r.FieldDescriptions {
		out.Columns = append(out.Columns, fmt.Sprintf("%s %d %d", f.Name, f.DataTypeOID, f.TypeModifier))
	}
	for _, row := range r.Rows {
		var values []string
		for _, v := range row {
			if v == nil {
				values = append(values, "NULL")
				continue
			}
			values = append(values, fmt.Sprintf("%q", v))
		}
		out.Rows = append(out.Rows, strings.Join(values, " "))
	}
	if !strings.Contains(sql, "order by") {
		slices.Sort(out.Rows)
	}
	out.Tag = r.CommandTag.String()
	return out
}

// leave reads what the statement left in the tables, as the phase reads them,
// and counts the rows in which the two columns differ though the phase keeps
// them equal.
func (o *observation) leave(t *testing.T, conn *pgx.Conn, p phase.Phase, catalog rewrite.Catalog) {
	t.Helper()
	queries := []string{"select * from public.orders", "select * from public.products", "select * from public.devices"}
	for i, tr := range catalog.Transitions {
		var list []string
		source, target := tr.Sources[0].Name, tr.Targets[0].Name
		for _, c := range catalog.Tables[i].Columns {
			name := c.Name
			if name == source && p != "" && p.Behaviour().Read == phase.Target {
				name = target
			}
			list = append(list, name)
		}
		queries = append(queries, "select "+strings.Join(list, ", ")+" from "+tr.Table.Schema+"."+tr.Table.Name)
		if p != "" && p.Behaviour().WritesBoth() {
			var n int
			err := conn.QueryRow(t.Context(), fmt.Sprintf("select count(*) from %s.%s where %s is distinct from %s",
				tr.Table.Schema, tr.Table.Name, source, target)).Scan(&n)
			require.NoError(t, err)
			o.Mismatches += n
		}
	}
	for _, query := range queries {
		results, err := conn.PgConn().Exec(t.Context(), query).ReadAll()
		require.NoError(t, err)
		o.Left = append(o.Left, query[strings.Index(query, "from"):])
		o.Left = append(o.Left, read(results[0], "").Rows...)
	}
}
