package ddl_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func TestStatements(t *testing.T) {
	table := ddl.Name{Schema: `a"b`, Table: "Users"}
	for sql, s := range map[string]ddl.Statement{
		`alter table "a""b"."Users" add column "n" text`:                        ddl.AddColumn(table, "n", "text", ""),
		`alter table "a""b"."Users" add column "n" text collate pg_catalog."C"`: ddl.AddColumn(table, "n", "text", `pg_catalog."C"`),
		`alter table "a""b"."Users" add column "n" int default 1 not null`: ddl.AddColumnWhole(table,
			transform.Column{Name: "n", Type: "int", Default: "1"}, true, false),
		`alter table "a""b"."Users" add column "n" int, alter column "n" set default random()`: ddl.AddColumnWhole(table,
			transform.Column{Name: "n", Type: "int", Default: "random()"}, false, true),
		`alter table "a""b"."Users" add constraint "c" CHECK (n > 1) not valid`:                ddl.AddCheck(table, "c", "CHECK (n > 1)"),
		`alter table "a""b"."Users" add constraint "c" foreign key (n) references u not valid`: ddl.AddForeignKey(ddl.ForeignKey{Table: table, To: table, Body: "foreign key (n) references u"}, "c"),
		`alter table "a""b"."Users" add constraint "c" unique using index "i" deferrable`:      ddl.AddUniqueConstraint(table, "c", "i", "deferrable"),
		`alter table "a""b"."Users" drop column "n"`:                                           ddl.DropColumn(table, "n"),
		`alter table "a""b"."Users" rename column "n" to "m"`:                                  ddl.RenameColumn(table, "n", "m"),
		`alter table "a""b"."Users" alter column "n" set default 'x'::text`:                    ddl.SetDefault(table, "n", "'x'::text"),
		`alter table "a""b"."Users" alter column "n" drop default`:                             ddl.DropDefault(table, "n"),
		`alter table "a""b"."Users" alter column "n" set not null`:                             ddl.SetNotNull(table, "n"),
		`alter table "a""b"."Users" alter column "n" drop not null`:                            ddl.DropNotNull(table, "n"),
		`alter table "a""b"."Users" add constraint "c" check ("n" is not null) not valid`:      ddl.AddNotNullCheck(table, "c", "n"),
		`alter table "a""b"."Users" validate constraint "c"`:                                   ddl.ValidateConstraint(table, "c"),
		`alter table "a""b"."Users" drop constraint if exists "c"`:                             ddl.DropConstraint(table, "c"),
		`alter table "a""b"."Users" add constraint "c" unique using index "i"`:                 ddl.AddUniqueUsingIndex(table, "c", "i"),
		`drop index concurrently if exists "a""b"."i"`:                                         ddl.DropIndexConcurrently(table, "i"),
		`comment on column "a""b"."Users"."n" is 'it''s'`:                                      ddl.CommentOnColumn(table, "n", "it's"),
		`comment on column "a""b"."Users"."n" is E'a\\''b'`:                                    ddl.CommentOnColumn(table, "n", `a\'b`),
		`alter table "a""b"."Users" alter column "n" set statistics 500`:                       ddl.SetStatistics(table, "n", 500),
		`alter table "a""b"."Users" alter column "n" set storage external`:                     ddl.SetStorage(table, "n", "external"),
		`CREATE INDEX CONCURRENTLY "i" ON "a""b"."Users" USING btree (n)`:                      ddl.CreateIndexConcurrently(table, `CREATE INDEX CONCURRENTLY "i" ON "a""b"."Users" USING btree (n)`),
	} {
		require.Equal(t, sql, s.SQL)
		require.Equal(t, `"a""b"."Users"`, s.On)
		require.NotEmpty(t, s.Lock, sql)
		require.NotEmpty(t, s.Why, sql)
	}
}

// The locks that a plan promises are the locks that PostgreSQL takes.
func TestLockLevels(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup+`;
		alter table app.users add constraint c check (id is not null) not valid;
		create unique index u on app.users (email)`)
	selfKey := ddl.ForeignKey{Table: users, To: users, Body: "foreign key (id) references app.users (id)"}
	for _, s := range []ddl.Statement{
		ddl.AddColumn(users, "name", "text", ""), ddl.DropColumn(users, "full_name"), ddl.RenameColumn(users, "full_name", "f"),
		ddl.SetDefault(users, "full_name", "''"), ddl.DropDefault(users, "full_name"), ddl.SetNotNull(users, "full_name"),
		ddl.DropNotNull(users, "full_name"), ddl.AddNotNullCheck(users, "d", "full_name"), ddl.ValidateConstraint(users, "c"),
		ddl.DropConstraint(users, "c"), ddl.AddUniqueUsingIndex(users, "uc", "u"), ddl.CommentOnColumn(users, "full_name", "x"),
		ddl.AddColumnWhole(users, transform.Column{Name: "x", Type: "int", Default: "1"}, true, false),
		ddl.AddCheck(users, "d", "check (id > 0)"), ddl.AddUniqueConstraint(users, "uc", "u", "deferrable"),
		ddl.AddForeignKey(selfKey, "fk"), ddl.DropForeignKey(selfKey, "c"),
		ddl.SetStatistics(users, "full_name", 10), ddl.SetStorage(users, "full_name", "external"),
	} {
		conn := db.Conn(t)
		tx, err := conn.Begin(t.Context())
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), s.SQL)
		require.NoError(t, err, s.SQL)
		var strongest string
		err = tx.QueryRow(t.Context(), `
			select case when bool_or(mode = 'AccessExclusiveLock') then 'ACCESS EXCLUSIVE'
				when bool_or(mode = 'ShareRowExclusiveLock') then 'SHARE ROW EXCLUSIVE'
				when bool_or(mode = 'ShareUpdateExclusiveLock') then 'SHARE UPDATE EXCLUSIVE' else string_agg(mode, ' ') end
			from pg_locks where pid = pg_backend_pid() and relation = 'app.users'::regclass`).Scan(&strongest)
		require.NoError(t, err)
		require.Equal(t, s.Lock, strongest, s.SQL)
		require.NoError(t, tx.Rollback(t.Context()))
	}
}

func TestStatementAsJSON(t *testing.T) {
	s := ddl.Runner{LockTimeout: 50 * time.Millisecond}.Resolve(ddl.DropDefault(users, "n"))
	text, err := json.Marshal(s)
	require.NoError(t, err)
	require.JSONEq(t, `{
		"sql": "alter table \"app\".\"users\" alter column \"n\" drop default",
		"lock": "ACCESS EXCLUSIVE", "on": "\"app\".\"users\"", "lock_timeout": "50ms", "statement_timeout": "5.05s",
		"hazard": "stops every statement on the table for milliseconds, and for up to lock_timeout while it waits",
		"why": "only the other column gives defaults from now on"}`, string(text))
}

func TestCounterpart(t *testing.T) {
	create, err := ddl.Counterpart(`CREATE UNIQUE INDEX "My idx" ON app.users USING btree (name) WHERE (name <> ''::text)`, "My idx", "twin")
	require.NoError(t, err)
	require.Equal(t, `CREATE UNIQUE INDEX CONCURRENTLY "twin" ON app.users USING btree (name) WHERE (name <> ''::text)`, create)
	_, err = ddl.Counterpart(`CREATE INDEX other ON app.users USING btree (name)`, "mine", "twin")
	require.ErrorContains(t, err, "mine")
}
