package rewrite_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

const (
	moreOriginal = `
create table users_child () inherits (users);
insert into users_child (id, full_name) values (50, 'Child');
create view names as select id, full_name from users;
create table readings (id bigint primary key, n int, note text);
create table people (id bigint primary key, whole text);
create table labels (id bigint primary key, tag text, size int generated always as (id * 2) stored);
create table parts (id bigint, kind text) partition by range (id);
create table parts_one (kind text, id bigint);
alter table parts attach partition parts_one for values from (0) to (1000);
insert into readings values (1, 10, 'a'), (2, null, null), (3, -7, E'tab\tand "quote"');
insert into people values (1, 'Ann Lee'), (2, 'Bob Ray');
insert into labels values (1, 'x'), (2, null);
insert into parts values (1, 'k'), (2, E'l\n');`
	moreExpand = `
alter table users add name text; alter table accounts add holder text;
alter table readings add big bigint; alter table people add first text, add last text;
alter table labels add label text; alter table parts add sort text;`
	moreFill = `
update users set name = full_name; update accounts set holder = owner;
update readings set big = n; update people set first = split_part(whole, ' ', 1), last = split_part(whole, ' ', 2);
update labels set label = tag; update parts set sort = kind;`
	moreSpoil = `
update users set full_name = id; update accounts set owner = id; update readings set n = -1;
update people set whole = '-'; update labels set tag = '-'; update parts set kind = '-';`
	moreContract = `
drop view names;
alter table users drop full_name; alter table accounts drop owner; alter table readings drop n;
alter table people drop whole; alter table labels drop tag; alter table parts drop kind;`
	// moreSync is what a sync trigger does with a new row.
	moreSync = `
create function sync_users() returns trigger language plpgsql as $$ begin
	if new.name is null then new.name := new.full_name; else new.full_name := new.name; end if; return new; end $$;
create function sync_accounts() returns trigger language plpgsql as $$ begin
	if new.holder is null then new.holder := new.owner; else new.owner := new.holder; end if; return new; end $$;
create function sync_readings() returns trigger language plpgsql as $$ begin
	if new.big is null then new.big := new.n; else new.n := new.big; end if; return new; end $$;
create function sync_people() returns trigger language plpgsql as $$ begin
	if new.first is null then new.first := split_part(new.whole, ' ', 1); new.last := split_part(new.whole, ' ', 2);
	else new.whole := new.first || ' ' || new.last; end if; return new; end $$;
create trigger zz before insert on users for each row execute function sync_users();
create trigger zz before insert on accounts for each row execute function sync_accounts();
create trigger zz before insert on readings for each row execute function sync_readings();
create trigger zz before insert on people for each row execute function sync_people();`
)

// copyDatabases gives test the original database, and the expanded one of each
// phase.
func copyDatabases(t *testing.T, change func(*rewrite.Catalog),
	test func(t *testing.T, p phase.Phase, original, expanded *pgx.Conn, r *rewrite.Rewriter),
) {
	script, err := os.ReadFile("testdata/differential/original.sql")
	require.NoError(t, err)
	for _, p := range phase.All() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			catalog := testCatalog(p)
			moreTables(&catalog)
			change(&catalog)
			setup := string(script) + moreOriginal
			original := pgtest.NewFrom(t, setup).Conn(t)
			setup += moreExpand + "create schema crossfade;"
			for _, tr := range catalog.Transitions {
				setup += "create table crossfade." + tr.Token + "();"
			}
			switch b := p.Behaviour(); {
			case p.Final():
				setup += moreFill + moreContract
			case !b.WriteSource:
				setup += moreFill + moreSpoil
			case b.WriteTarget:
				setup += moreFill + moreSync
			}
			r, err := rewrite.New(catalog)
			require.NoError(t, err)
			test(t, p, original, pgtest.NewFrom(t, setup).Conn(t), r)
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

// TestCopyToGivesTheSameBytes: also the tag, and the class of an error.
func TestCopyToGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	copyDatabases(t, func(*rewrite.Catalog) {}, func(t *testing.T, p phase.Phase, original, expanded *pgx.Conn, r *rewrite.Rewriter) {
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
				result := r.Rewrite(sql)
				require.NotEqual(t, rewrite.Refused, result.Outcome, sql)
				inTx := func(conn *pgx.Conn, sql string) (c copied) {
					tx, err := conn.Begin(t.Context())
					require.NoError(t, err)
					c = copyTo(t, conn, sql)
					require.NoError(t, tx.Rollback(t.Context()))
					return c
				}
				require.Equal(t, inTx(original, sql), inTx(expanded, result.SQL), "%s\n%s", sql, result.SQL)
			}
		}
		for _, sql := range []string{"copy parts to stdout", "copy names to stdout", "copy labels (tag, size) to stdout",
			"copy users (full_name, full_name) to stdout", "copy users (full_name, ctid) to stdout"} {
			require.NotEmpty(t, copyTo(t, original, sql).Code, sql)
			if result := r.Rewrite(sql); result.Outcome != rewrite.Refused {
				require.NotEmpty(t, copyTo(t, expanded, result.SQL).Code, sql)
			}
		}
	})
}

// TestCopyFromFillsBoth: with a trigger, as an INSERT would have.
func TestCopyFromFillsBoth(t *testing.T) {
	t.Parallel()
	copyDatabases(t, synced, func(t *testing.T, p phase.Phase, original, expanded *pgx.Conn, r *rewrite.Rewriter) {
		tables := []string{"users", "accounts", "readings", "people"}
		var passed []string
		for _, c := range []struct{ into, data string }{
			{"users", "select id + 100, email || '-', full_name || ' the second', balance, created_at from only users"},
			{"users (full_name, id)", "select full_name || ' the third', id + 200 from only users"},
			{"users (id, email)", "values (500::bigint, 'e@x')"},
			{"accounts", "select id + 100, owner, kind, code from accounts"},
			{"accounts (id, kind)", "values (500::bigint, 'kind')"},
			{"readings", "select id + 100, n, note from readings"},
			{"readings (n, id)", "select n, id + 200 from readings where n is not null"},
			{"people (whole, id)", "select whole, id + 100 from people"},
			{"users (id, full_name)", "values (1::bigint, 'not unique')"},
			{"users (id, nothing, full_name)", "select 1"},
			{"nothing (id)", "select 1"},
			{"users (id, full_name) where id > 301", "select i::bigint, 'filtered ' || i from generate_series(300, 302) i"},
		} {
			into, where, _ := bytes.Cut([]byte(c.into), []byte(" where"))
			condition := ""
			if len(where) > 0 {
				condition = " where" + string(where)
			}
			for _, format := range []string{"text", "csv", "binary"} {
				if format != "text" {
					for _, conn := range []*pgx.Conn{original, expanded} {
						_, err := conn.Exec(t.Context(), "delete from users where id >= 100; delete from accounts where id >= 100; "+
							"delete from readings where id >= 100; delete from people where id >= 100")
						require.NoError(t, err)
					}
				}
				data := copyTo(t, original, "copy ("+c.data+") to stdout (format "+format+")").Data
				sql := "copy " + string(into) + " from stdin (format " + format + ")" + condition
				result := r.Rewrite(sql)
				if result.Outcome == rewrite.Refused {
					require.False(t, p.Behaviour().WriteSource, "%s: %s", sql, result.Refusal.Message)
					continue
				}
				passed = append(passed, sql)
				require.Equal(t, copyFrom(t, original, data, sql), copyFrom(t, expanded, data, result.SQL), "%s\n%s", sql, result.SQL)
				for _, table := range tables {
					query := "copy (select * from " + table + " order by id) to stdout"
					require.Equal(t, copyTo(t, original, query), copyTo(t, expanded, r.Rewrite(query).SQL), "%s: %s", sql, query)
				}
				if p.Behaviour().WritesBoth() {
					require.Zero(t, inconsistent(t, expanded), sql)
				}
			}
		}
		require.True(t, slices.Contains(passed, "copy users from stdin (format binary)"))
	})
}

func inconsistent(t *testing.T, conn *pgx.Conn) (n int) {
	err := conn.QueryRow(t.Context(), `select
		(select count(*) from users where name is distinct from full_name) +
		(select count(*) from accounts where holder is distinct from owner) +
		(select count(*) from readings where big is distinct from n) +
		(select count(*) from people where whole is distinct from first || ' ' || last)`).Scan(&n)
	require.NoError(t, err)
	return n
}

// TestCopyFromNeedsTheToken: also outside of a transaction block, where each
// statement has one of its own.
func TestCopyFromNeedsTheToken(t *testing.T) {
	t.Parallel()
	copyDatabases(t, synced, func(t *testing.T, _ phase.Phase, _, expanded *pgx.Conn, r *rewrite.Rewriter) {
		result := r.Rewrite("copy users (id, full_name) from stdin")
		require.Equal(t, 1, result.Leading)
		for _, begin := range []string{"", "begin", "begin; savepoint s"} {
			_, err := expanded.Exec(t.Context(), begin)
			require.NoError(t, err)
			require.Equal(t, copied{Tag: "COPY 1"}, copyFrom(t, expanded, "100\tx\n", result.SQL))
			_, err = expanded.Exec(t.Context(), "rollback; delete from users where id = 100")
			require.NoError(t, err)
		}
		_, err := expanded.Exec(t.Context(), "drop table crossfade.users_token")
		require.NoError(t, err)
		require.Equal(t, "42P01", copyFrom(t, expanded, "100\tx\n", result.SQL).Code)
		require.Equal(t, "COPY 0", copyTo(t, expanded, "copy (select from users where id = 100) to stdout").Tag)
	})
}
