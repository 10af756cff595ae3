package ddl_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// Each step of a rename, with the state read back before and after it.
func TestStatesOfARename(t *testing.T) {
	t.Parallel()
	ctx, conn := t.Context(), pgtest.NewFrom(t, setup+`;
		alter table app.users alter full_name set statistics 500;
		alter table app.users alter full_name set storage external;
		comment on column app.users.full_name is 'as on the passport'`).Conn(t)
	run := func(statements ...ddl.Statement) {
		t.Helper()
		for _, s := range statements {
			require.NoError(t, ddl.Runner{}.Run(ctx, conn, s), s.SQL)
		}
	}
	column := func(name string) ddl.Column {
		t.Helper()
		c, err := ddl.ReadColumn(ctx, conn, users, name)
		require.NoError(t, err)
		return c
	}
	constraint := func(name string) ddl.Constraint {
		t.Helper()
		c, err := ddl.ReadConstraint(ctx, conn, users, name)
		require.NoError(t, err)
		return c
	}
	require.Equal(t, ddl.Column{}, column("name"))
	run(ddl.AddColumn(users, "name", "character varying(80)", `pg_catalog."C"`))
	require.Equal(t, ddl.Column{
		Exists: true, Number: 4, Type: "character varying(80)",
	}, column("name"))

	for range 2 {
		run(ddl.SetStatistics(users, "name", 500), ddl.SetStorage(users, "name", "external"), ddl.CommentOnColumn(users, "name", "as on the passport"))
	}

	run(ddl.SetDefault(users, "name", "'nobody'::text"))
	require.Equal(t, "'nobody'::text", column("name").Default)
	run(ddl.DropDefault(users, "name"), ddl.DropDefault(users, "name"))
	require.Empty(t, column("name").Default)

	require.Equal(t, ddl.Constraint{}, constraint("present"))
	run(ddl.AddNotNullCheck(users, "present", "name"))
	require.True(t, constraint("present").Exists)
	require.False(t, constraint("present").Validated)
	require.ErrorContains(t, ddl.Runner{}.Run(ctx, conn, ddl.ValidateConstraint(users, "present")), "23514")
	_, err := conn.Exec(ctx, "update app.users set name = full_name")
	require.NoError(t, err)
	run(ddl.ValidateConstraint(users, "present"), ddl.ValidateConstraint(users, "present"))
	require.True(t, constraint("present").Validated)
	run(ddl.SetNotNull(users, "name"), ddl.SetNotNull(users, "name"))
	run(ddl.DropConstraint(users, "present"), ddl.DropConstraint(users, "present"))
	require.True(t, column("name").NotNull)
	require.Equal(t, ddl.Constraint{}, constraint("present"))
	run(ddl.DropNotNull(users, "name"), ddl.DropNotNull(users, "name"))
	require.False(t, column("name").NotNull)

	run(ddl.CreateIndexConcurrently(users, `CREATE UNIQUE INDEX CONCURRENTLY "n" ON app.users USING btree (name)`))
	run(ddl.AddUniqueUsingIndex(users, "users_name_key", "n"))
	require.Equal(t, "UNIQUE (name)", constraint("users_name_key").Definition)

	run(ddl.RenameColumn(users, "full_name", "full_name_dropped"))
	run(ddl.DropColumn(users, "full_name_dropped"))
	require.False(t, column("full_name").Exists)
}

func TestDropColumnNeverCascades(t *testing.T) {
	t.Parallel()
	conn := pgtest.NewFrom(t, setup+"; create view app.v as select full_name from app.users").Conn(t)
	require.ErrorContains(t, ddl.Runner{}.Run(t.Context(), conn, ddl.DropColumn(users, "full_name")), "2BP01")
}
