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
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

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
		if m.Phase.Behaviour().Named {
			m.Move = m.Named()
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
