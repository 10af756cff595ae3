package rewrite_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// copyTest is the original database, and the expanded one of a phase, whose
// transitions have triggers that keep both sides.
type copyTest struct {
	phase              phase.Phase
	original, expanded *pgx.Conn
	rewriter           *rewrite.Rewriter
}

func TestCopyOnTheServer(t *testing.T) {
	script, err := os.ReadFile("testdata/differential/original.sql")
	require.NoError(t, err)
	for _, p := range phase.All() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			catalog := testCatalog(p)
			moreTables(&catalog)
			synced(&catalog)
			setup := string(script) + moreOriginal
			c := copyTest{phase: p, original: pgtest.NewFrom(t, setup).Conn(t)}
			setup += moreExpand + "create schema crossfade;"
			for _, tr := range catalog.Transitions {
				setup += "create table crossfade." + tr.Token + "();"
			}
			switch b := p.Behaviour(); {
			case p.Behaviour().SourceGone:
				setup += moreFill + moreContract
			case !b.WriteSource:
				setup += moreFill + moreSpoil
			case b.WriteTarget:
				setup += moreFill + moreSync
			}
			c.expanded = pgtest.NewFrom(t, setup).Conn(t)
			r, err := rewrite.New(catalog)
			require.NoError(t, err)
			c.rewriter = r
			t.Run("to", c.to)
			t.Run("from", c.from)
			t.Run("token", c.token)
		})
	}
}

// copied is what COPY TO gives.
type copied struct{ Data, Tag, Code string }

func copyTo(t *testing.T, conn *pgx.Conn, sql string) copied {
	var b bytes.Buffer
	tag, err := conn.PgConn().CopyTo(t.Context(), &b, sql)
	return copied{b.String(), tag.String(), codeOf(t, err)}
}

func copyFrom(t *testing.T, conn *pgx.Conn, data, sql string) copied {
	tag, err := conn.PgConn().CopyFrom(t.Context(), bytes.NewReader([]byte(data)), sql)
	if code := codeOf(t, err); code != "" {
		return copied{Code: code} // the tag is that of LOCK, which the hook swallows
	}
	return copied{Tag: tag.String()}
}

func codeOf(t *testing.T, err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	require.NoError(t, err)
	return ""
}

// to gives the same bytes and tag, and the class of an error.
func (c copyTest) to(t *testing.T) {
	for _, what := range []string{
		"users", "users (full_name)", "public.users (email, full_name, id)", "users (email)", "users_child", "accounts",
		"accounts (id, owner)", "readings", "readings (n, id)", "people", "people (whole)", "labels", "labels (tag)",
		"parts_one", "parts_one (kind)", "(select * from users order by id)", "(select full_name, * from only users)", "(table parts)",
		"(insert into users (id, full_name) values (60, 'x') returning *)",
		"(update users set full_name = full_name || '!' where id = 1 returning full_name, id)",
		"(delete from users where full_name = 'Cyd' or id = 3 returning *)",
		"(with gone as (delete from people returning *) select * from gone)",
		"users (nothing, full_name)", "users (id, email, id)", "users (ctid, id)", "nothing (full_name)",
	} {
		for _, options := range []string{"", "(format csv, header)", "(format csv, header, force_quote *, null '-')", "(format binary)"} {
			sql := "copy " + what + " to stdout " + options
			result := c.rewriter.Rewrite(sql)
			require.NotEqual(t, rewrite.Refused, result.Outcome, sql)
			inTx := func(conn *pgx.Conn, sql string) (out copied) {
				tx, err := conn.Begin(t.Context())
				require.NoError(t, err)
				out = copyTo(t, conn, sql)
				require.NoError(t, tx.Rollback(t.Context()))
				return out
			}
			require.Equal(t, inTx(c.original, sql), inTx(c.expanded, result.SQL), "%s\n%s", sql, result.SQL)
		}
	}
	for _, sql := range []string{"copy parts to stdout", "copy names to stdout", "copy labels (tag, size) to stdout",
		"copy users (full_name, full_name) to stdout", "copy users (full_name, ctid) to stdout"} {
		require.NotEmpty(t, copyTo(t, c.original, sql).Code, sql)
		if result := c.rewriter.Rewrite(sql); result.Outcome != rewrite.Refused {
			require.NotEmpty(t, copyTo(t, c.expanded, result.SQL).Code, sql)
		}
	}
}

// from leaves behind what the same COPY leaves in the original, on both sides
// where the phase writes both.
func (c copyTest) from(t *testing.T) {
	tables := []string{"users", "accounts", "readings", "people", "labels", "parts"}
	var passed []string
	for _, sample := range []struct{ into, data string }{
		{"users", "select id + 100, email || '-', full_name || ' the second', balance, created_at from only users"},
		{"users (full_name, id)", "select full_name || ' the third', id + 200 from only users"},
		{"users (id, email)", "values (500::bigint, 'e@x')"},
		{"accounts", "select id + 100, owner, kind, code from accounts"},
		{"accounts (id, kind)", "values (500::bigint, 'kind')"},
		{"readings", "select id + 100, n, note from readings"},
		{"readings (n, id)", "select n, id + 200 from readings where n is not null"},
		{"labels", "select id + 100, tag from labels"},
		{"parts (kind, id)", "select kind, id + 100 from parts"},
		{"parts_one", "select kind, id + 200 from parts"},
		{"people (whole, id)", "select whole, id + 100 from people"},
		{"users (id, full_name)", "values (1::bigint, 'not unique')"},
		{"users (id, nothing, full_name)", "select 1"},
		{"nothing (id)", "select 1"},
		{"users (id, full_name) where id > 301", "select i::bigint, 'filtered ' || i from generate_series(300, 302) i"},
	} {
		into, where, _ := bytes.Cut([]byte(sample.into), []byte(" where"))
		condition := ""
		if len(where) > 0 {
			condition = " where" + string(where)
		}
		for _, format := range []string{"text", "csv", "binary"} {
			if format != "text" {
				for _, conn := range []*pgx.Conn{c.original, c.expanded} {
					_, err := conn.Exec(t.Context(), "delete from users where id >= 100; delete from accounts where id >= 100; "+
						"delete from readings where id >= 100; delete from people where id >= 100; "+
						"delete from labels where id >= 100; delete from parts where id >= 100")
					require.NoError(t, err)
				}
			}
			data := copyTo(t, c.original, "copy ("+sample.data+") to stdout (format "+format+")").Data
			sql := "copy " + string(into) + " from stdin (format " + format + ")" + condition
			result := c.rewriter.Rewrite(sql)
			if result.Outcome == rewrite.Refused {
				require.False(t, c.phase.Behaviour().WriteSource, "%s: %s", sql, result.Refusal.Message)
				continue
			}
			passed = append(passed, sql)
			require.Equal(t, copyFrom(t, c.original, data, sql), copyFrom(t, c.expanded, data, result.SQL), "%s\n%s", sql, result.SQL)
			for _, table := range tables {
				query := "copy (select * from " + table + " order by id) to stdout"
				require.Equal(t, copyTo(t, c.original, query), copyTo(t, c.expanded, c.rewriter.Rewrite(query).SQL), "%s: %s", sql, query)
			}
			if c.phase.Behaviour().WritesBoth() {
				require.Zero(t, inconsistent(t, c.expanded), sql)
			}
		}
	}
	require.True(t, slices.Contains(passed, "copy users from stdin (format binary)"))
	c.fromTargets(t)
}

// fromTargets: the targets' names, which the original does not have.
func (c copyTest) fromTargets(t *testing.T) {
	for sql, data := range map[string]string{
		"copy readings (big, id) from stdin (format binary)":     "select 5000000000 - id, id + 700 from readings where id < 100 and $wide union all select id, id + 800 from readings where id < 100",
		"copy users (name, id) from stdin (format binary)":       "select 'named ' || id, id + 700 from only users where id < 100",
		"copy people (last, id, first) from stdin (format csv)":  "select 'Last', id + 700, 'First' from people where id < 100",
		"copy people (last, id, first) from stdin (format text)": "select 'Last', id + 800, 'First' from people where id < 100",
	} {
		// A value that the source cannot hold is an error while it is written.
		data = strings.Replace(data, "$wide", strconv.FormatBool(!c.phase.Behaviour().WriteSource), 1)
		result := c.rewriter.Rewrite(sql)
		if result.Outcome == rewrite.Refused {
			require.False(t, c.phase.Behaviour().WriteTarget, "%s: %s", sql, result.Refusal.Message)
			continue
		}
		format := sql[strings.LastIndex(sql, "("):]
		got := copyFrom(t, c.expanded, copyTo(t, c.original, "copy ("+data+") to stdout "+format).Data, result.SQL)
		require.Empty(t, got.Code, sql)
		require.NotEqual(t, "COPY 0", got.Tag, sql)
		if c.phase.Behaviour().WritesBoth() {
			require.Zero(t, inconsistent(t, c.expanded), sql)
		}
	}
}

func inconsistent(t *testing.T, conn *pgx.Conn) (n int) {
	err := conn.QueryRow(t.Context(), `select
		(select count(*) from users where name is distinct from full_name) +
		(select count(*) from accounts where holder is distinct from owner) +
		(select count(*) from labels where label is distinct from tag) +
		(select count(*) from parts where sort is distinct from kind) +
		(select count(*) from readings where big is distinct from n) +
		(select count(*) from people where whole is distinct from first || ' ' || last)`).Scan(&n)
	require.NoError(t, err)
	return n
}

// token: without it a COPY does nothing. The lock is taken also outside of a
// transaction block.
func (c copyTest) token(t *testing.T) {
	result := c.rewriter.Rewrite("copy users (id, full_name) from stdin")
	require.Equal(t, 1, result.Leading)
	for _, begin := range []string{"", "begin", "begin; savepoint s"} {
		_, err := c.expanded.Exec(t.Context(), begin)
		require.NoError(t, err)
		require.Equal(t, copied{Tag: "COPY 1"}, copyFrom(t, c.expanded, "100\tx\n", result.SQL))
		_, err = c.expanded.Exec(t.Context(), "rollback; delete from users where id = 100")
		require.NoError(t, err)
	}
	_, err := c.expanded.Exec(t.Context(), "drop table crossfade.users_token")
	require.NoError(t, err)
	require.Equal(t, "42P01", copyFrom(t, c.expanded, "100\tx\n", result.SQL).Code)
	require.Equal(t, "COPY 0", copyTo(t, c.expanded, "copy (select from users where id = 100) to stdout").Tag)
}
