package migrator_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestRightsAndRoomAreLost: the migrator's role, which is no superuser, loses
// something before a step. The step stops with an error that says what to do, and
// the run goes on when that was done.
func TestRightsAndRoomAreLost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		// until is the last step before the loss, "" before Start.
		until, lose, restore string
		code, hint           string
	}{
		{name: "ownership before the target is made", until: "register",
			lose: `alter table users owner to postgres`, restore: `alter table users owner to ROLE`,
			code: "42501", hint: "it must own the table"},
		{name: "ownership before the backfill", until: "dualwrite",
			lose: `alter table users owner to postgres`, restore: `alter table users owner to ROLE`,
			code: "42501", hint: "it must own the table"},
		{name: "ownership before the end", until: "complete",
			lose: `alter table users owner to postgres`, restore: `alter table users owner to ROLE`,
			code: "42501", hint: "it must own the table"},
		{name: "no index may be made in the schema", until: "backfill",
			lose: `revoke create on schema public from ROLE`, restore: `grant create on schema public to ROLE`,
			code: "42501", hint: "have CREATE on the schema of the table"},
		{name: "no token may be made", until: "expand",
			lose: `revoke create on schema crossfade from ROLE`, restore: `grant create on schema crossfade to ROLE`,
			code: "42501", hint: "own the schema crossfade"},
		{name: "the ledger may not be written", until: "dualwrite",
			lose: `revoke update on crossfade.transition from ROLE`, restore: `grant update on crossfade.transition to ROLE`,
			code: "42501", hint: "own the schema crossfade"},
		{name: "the ledger may not be read", until: "shadow",
			lose: `revoke all on all tables in schema crossfade from ROLE`, restore: `grant all on all tables in schema crossfade to ROLE`,
			code: "42501", hint: "own the schema crossfade"},
		{name: "no room for the sort of an index", until: "backfill",
			lose: `alter role ROLE set temp_file_limit = '64kB'`, restore: `alter role ROLE reset temp_file_limit`,
			code: "53400", hint: "temp_file_limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.NewFrom(t, users+`; insert into users (full_name, email) select 'user ' || i, repeat(i::text, 20) from generate_series(301, 20000) i`)
			role := "mover_" + db.Name
			as := func(sql string) string { return strings.ReplaceAll(sql, "ROLE", role) }
			// Before 15, everybody may create in the schema public.
			db.Exec(t, as(`revoke create on schema public from public; create role ROLE login in role pg_read_all_stats; alter table users owner to ROLE;
				grant create on database `+db.Name+` to ROLE; grant create on schema public to ROLE; alter role ROLE set maintenance_work_mem = '1MB'`))
			t.Cleanup(func() { db.Exec(t, as(`reassign owned by ROLE to postgres; drop owned by ROLE; drop role ROLE`)) })
			config := db.Config(t)
			config.User = role
			m, err := migrator.New(config, quick(migrator.Config{}))
			require.NoError(t, err)
			require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
			p, err := m.Start(ctx, rename)
			require.NoError(t, err)
			for p.Step != c.until {
				p, err = m.Advance(ctx, rename.Name, migrator.AdvanceOptions{})
				require.NoError(t, err)
			}

			db.Exec(t, as(c.lose))
			_, err = m.Run(ctx, rename.Name, untilContracted)
			var pgErr *pgconn.PgError
			require.ErrorAs(t, err, &pgErr)
			require.Equal(t, c.code, pgErr.Code, err)
			require.ErrorContains(t, err, c.hint)
			require.ErrorContains(t, err, "then run the command again: it continues")

			db.Exec(t, as(c.restore))
			p, err = m.Run(ctx, rename.Name, untilContracted)
			require.NoError(t, err)
			require.Equal(t, migrator.Contracted, p.Phase)
			require.NoError(t, m.Remove(ctx, rename.Name))
			conn := audit(t, db)
			require.Equal(t, contractedShape, shape(t, conn))
			require.Equal(t, 20000, scan[int](t, conn, `select count(*) from users where name = 'user ' || id`))
		})
	}
}

// TestFollowingNeedsCreate: what the step sync would stumble over, plan says.
func TestFollowingNeedsCreate(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users)
	role := "mover_" + db.Name
	as := func(sql string) string { return strings.ReplaceAll(sql, "ROLE", role) }
	db.Exec(t, as(`create role ROLE login replication in role pg_read_all_stats; alter table users owner to ROLE; grant create on schema public to ROLE`))
	t.Cleanup(func() { db.Exec(t, as(`reassign owned by ROLE to postgres; drop owned by ROLE; drop role ROLE`)) })
	config := db.Config(t)
	config.User = role
	m, err := migrator.New(config, quick(migrator.Config{}))
	require.NoError(t, err)
	follow := rename
	follow.Sync = "logical"
	refused := func() bool {
		plan, err := m.Plan(ctx, follow)
		require.NoError(t, err)
		return slices.ContainsFunc(plan.Findings, func(f migrator.Finding) bool { return f.Code == "sync-no-create" && f.Refuses })
	}
	require.True(t, refused())
	db.Exec(t, as(`grant create on database `+db.Name+` to ROLE`))
	require.False(t, refused())
}
