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
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// state is an expanded database as it can be in a phase.
type state struct {
	name  string
	phase phase.Phase
	// targets and sources say what the columns are like.
	targets, sources content
}

// content is what the columns of one side hold.
type content uint8

const (
	missing content = iota
	wrong
	right
)

var states = []state{
	{"off, no target yet", phase.Off, missing, right},
	{"off, target wrong", phase.Off, wrong, right},
	{"dualwrite", phase.DualWrite, right, right},
	{"live", phase.Live, right, right},
	{"complete, source wrong", phase.Complete, right, wrong},
	{"contracted", phase.Contracted, right, missing},
}

// expansion is the DDL that brings a table into a state. index is for targets
// that are filled, retire for sources that are not.
func expansion(s state, table string, m transform.Move, index, retire string) string {
	var b strings.Builder
	run := func(format string, args ...any) {
		b.WriteString("alter table " + table + " " + fmt.Sprintf(format, args...) + ";")
	}
	set := func(c transform.Column, value string) {
		b.WriteString("update " + table + " set " + c.Name + " = " + value + ";")
	}
	if s.targets == missing {
		return ""
	}
	for _, c := range m.Targets {
		collation := ""
		if c.Collation != "" {
			collation = " collate " + c.Collation
		}
		run("add column %s %s%s", c.Name, c.Type, collation)
		if s.targets == wrong {
			set(c, wrongValue(c))
			continue
		}
		set(c, valueOf(c, m.Sources))
	}
	if s.targets == right {
		b.WriteString(index)
	}
	if s.sources == right {
		return b.String()
	}
	b.WriteString(retire)
	for _, c := range m.Sources {
		if s.sources == missing {
			run("drop column %s", c.Name)
			continue
		}
		set(c, wrongValue(c))
		run("alter column %s drop default", c.Name)
	}
	return b.String()
}

// valueOf is the column as it follows from those of the other side.
func valueOf(c transform.Column, others []transform.Column) string {
	if c.Value == "" {
		return others[0].Name
	}
	return c.Cast(c.Value)
}

// wrongValue is a value that the column should not have.
func wrongValue(c transform.Column) string {
	switch c.BaseType {
	case "text", "character varying":
		return "'wrong ' || ctid"
	case "integer", "bigint", "numeric":
		return "-1 - id"
	}
	return "null"
}

// trial is a database with transitions, and statements to run on it.
type trial struct {
	script  string
	corpus  string
	catalog func(phase.Phase) rewrite.Catalog
	expand  func(state) string
	// others are the tables that no transition is of; sequences are set back
	// before each statement.
	others, sequences []string
	// strict: a statement that fails on the original database says so.
	strict bool
}

// TestDifferential runs each statement of a corpus as it is on the original
// database, and rewritten on expanded ones, and compares everything that an
// application can see, and what is left behind.
func TestDifferential(t *testing.T) {
	trials := map[string]trial{
		"renames": {
			"testdata/differential/original.sql", "testdata/corpus/*.sql", testCatalog, expandRenames,
			[]string{"orders", "products", "devices"},
			[]string{"codes"}, false,
		},
		"kinds": {
			"testdata/differential/kinds.sql", "testdata/corpus-kinds/*.sql", kindsCatalog, expandKinds,
			[]string{"others"},
			[]string{"calls", "item_ids"}, true,
		},
	}
	for name, tr := range trials {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr.run(t)
		})
	}
}

func expandRenames(s state) string {
	var b strings.Builder
	for _, tr := range testCatalog(s.phase).Transitions {
		index := ""
		if tr.Table.Name == "users" {
			index = "create unique index on users (name);"
		}
		b.WriteString(expansion(s, tr.Table.Name, tr.Move, index, ""))
	}
	return b.String()
}

func (tr trial) run(t *testing.T) {
	script, err := os.ReadFile(tr.script)
	require.NoError(t, err)
	setup := string(script) + "create schema crossfade;"
	for _, transition := range tr.catalog(phase.Off).Transitions {
		setup += "create table crossfade." + transition.Token + "();"
	}
	original := pgtest.NewFrom(t, setup).Conn(t)
	cases := corpus(t, tr.corpus)
	want := make([]observation, len(cases))
	off, err := rewrite.New(tr.catalog(phase.Off))
	require.NoError(t, err)
	for i, c := range cases {
		if c.refused {
			continue
		}
		want[i] = tr.observe(t, original, c, c.sql, "")
		if want[i].Code == "42703" {
			// It names the target, which the original database does not have:
			// what phase off makes of it shows what it means.
			want[i] = tr.observe(t, original, c, off.Rewrite(c.sql).SQL, "")
		}
		if tr.strict {
			assert.Equal(t, c.code, want[i].Code, "%s: %s", c.place, c.sql)
		}
	}
	for _, s := range states {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			conn := pgtest.NewFrom(t, setup+tr.expand(s)).Conn(t)
			r, err := rewrite.New(tr.catalog(s.phase))
			require.NoError(t, err)
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
				want, got := want[i], tr.observe(t, conn, c, result.SQL, s.phase)
				if c.lossy && s.phase.Behaviour().Read == phase.Target {
					want.Left, got.Left = nil, nil
				}
				if !assert.Equal(t, want, got, c.place) {
					t.Logf("original:  %s\nrewritten: %s", c.sql, result.SQL)
				}
			}
		})
	}
}

// statement is one case of the corpus.
type statement struct {
	place   string
	sql     string
	args    [][]byte
	refused bool
	// code is the error that the original database gives, if the case says so.
	code string
	// lossy: what it leaves is not what is read back.
	lossy bool
}

// corpus reads files of statements: they stand in paragraphs, before each come
// lines of options.
func corpus(t testing.TB, pattern string) (list []statement) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files)
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
				} else if code, ok := strings.CutPrefix(line, "-- error: "); ok {
					c.code = code
				} else if line == "-- refused" {
					c.refused = true
				} else if line == "-- lossy" {
					c.lossy = true
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
func (tr trial) observe(t *testing.T, conn *pgx.Conn, c statement, sql string, p phase.Phase) (o observation) {
	t.Helper()
	ctx := t.Context()
	must := func(sql string) {
		_, err := conn.Exec(ctx, sql)
		require.NoError(t, err)
	}
	before := "begin; set local timezone = 'UTC';"
	for _, s := range tr.sequences {
		before += "select setval('public." + s + "', 100, false);"
	}
	must(before)
	defer must("rollback")
	err := o.run(ctx, conn.PgConn(), c, sql)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		o.Code = pgErr.Code
		return o
	}
	require.NoError(t, err, sql)
	o.leave(t, conn, p, tr)
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
		const firstUser = 16384 // the OIDs of types of one's own differ
		f.DataTypeOID = min(f.DataTypeOID, firstUser)
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
// and counts the rows in which neither side follows from the other though the
// phase keeps both right.
func (o *observation) leave(t *testing.T, conn *pgx.Conn, p phase.Phase, tr trial) {
	t.Helper()
	var queries []string
	for _, table := range tr.others {
		queries = append(queries, "select * from public."+table)
	}
	for _, sequence := range tr.sequences {
		if !tr.strict {
			break
		}
		queries = append(queries, "select last_value, is_called from public."+sequence)
	}
	catalog := tr.catalog(phase.Off)
	if p != "" {
		catalog = tr.catalog(p)
	}
	for _, table := range catalog.Tables {
		var list []string
		for _, c := range table.Columns {
			list = append(list, readAs(c.Name, table.Name, p, catalog))
		}
		queries = append(queries, "select "+strings.Join(list, ", ")+" from "+table.Name.Schema+"."+table.Name.Name)
	}
	for _, m := range catalog.Transitions {
		if p == "" || !m.Phase.Behaviour().WritesBoth() {
			continue
		}
		differ := func(columns, others []transform.Column) string {
			values := make([]string, len(columns))
			for i, c := range columns {
				values[i] = "(" + c.Name + ")::text is distinct from (" + valueOf(c, others) + ")::text"
			}
			return "(" + strings.Join(values, " or ") + ")"
		}
		var n int
		err := conn.QueryRow(t.Context(), fmt.Sprintf("select count(*) from %s.%s where %s and %s", m.Table.Schema, m.Table.Name,
			differ(m.Sources, m.Targets), differ(m.Targets, m.Sources))).Scan(&n)
		require.NoError(t, err)
		o.Mismatches += n
	}
	for _, query := range queries {
		results, err := conn.PgConn().Exec(t.Context(), query).ReadAll()
		require.NoError(t, err)
		o.Left = append(o.Left, query[strings.LastIndex(query, "from"):])
		o.Left = append(o.Left, read(results[0], "").Rows...)
	}
}

// readAs is what a phase reads for a column; "" is the original database.
func readAs(name string, table rewrite.Name, p phase.Phase, catalog rewrite.Catalog) string {
	for _, m := range catalog.Transitions {
		if p == "" || m.Table != table || m.Phase.Behaviour().Read == phase.Source {
			continue
		}
		for _, c := range m.Sources {
			if c.Name == name && c.Value != "" {
				return c.Cast(c.Value)
			} else if c.Name == name {
				return readAs(m.Targets[0].Name, table, p, catalog)
			}
		}
	}
	return name
}
