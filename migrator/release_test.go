package migrator_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/migrator"
)

// In complete the source says what was true once. A unique index that looks at
// it would refuse rows that are right.
func TestStaleSourceRefusesNothing(t *testing.T) {
	t.Parallel()
	db, m := started(t, `
		create table users (id bigint generated always as identity primary key, full_name text, email text not null);
		create unique index users_email_idx on users (email) where full_name is null;
		insert into users (email) values ('a'), ('b')`, migrator.Config{})
	conn := audit(t, db)
	original := shape(t, conn)
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
	// As the hook writes in this phase: a soft delete, and the address again.
	db.Exec(t, `update users set name = 'gone' where email = 'a'`)
	db.Exec(t, `insert into users (email) values ('a')`)

	_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	require.Equal(t, original, shape(t, conn))
	require.Equal(t, 1, scan[int](t, conn, `select count(*) from users where full_name = 'gone'`))
}

// Values that have changed hands in complete can be filled in again, in
// whatever order.
func TestRefillOfUniqueValues(t *testing.T) {
	t.Parallel()
	db, m := started(t, `
		create table users (id bigint generated always as identity primary key, full_name text unique);
		insert into users (full_name) values ('x'), ('y')`, migrator.Config{})
	conn := audit(t, db)
	original := shape(t, conn)
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
	db.Exec(t, `update users set name = 'z' where id = 2`)
	db.Exec(t, `update users set name = 'y' where id = 1`)

	_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	require.Equal(t, original, shape(t, conn))
	require.Equal(t, []string{"y", "z"}, list[string](t, conn, `select full_name from users order by id`))
}

func TestNewUniqueIndexOnSourceClosesComplete(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.RampDown})
	require.NoError(t, err)
	db.Exec(t, `alter table users add constraint late unique (id, full_name)`)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
	var gate *migrator.GateError
	require.ErrorAs(t, err, &gate)
	require.Contains(t, gate.Why, "public.late")
	db.Exec(t, `alter table users drop constraint late`)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
}

// An upsert by the name of the source's constraint goes on when that is gone.
func TestUpsertByConstraint(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	for visits, p := range []migrator.Phase{migrator.Off, migrator.Shadow, migrator.Live, migrator.Complete, migrator.Contracted} {
		_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: p, Snapshot: migrator.NoSnapshot})
		require.NoError(t, err)
		_, pool := hooked(t, db, dualwrite.StarsSource)
		_, err = pool.Exec(ctx, `insert into users (full_name, email) values ('user 1', '1@example.org')
			on conflict on constraint users_email_full_name_key do update set visits = $1`, visits)
		require.NoError(t, err, p)
		require.Equal(t, visits, scan[int](t, audit(t, db), `select visits from users where id = 1`), p)
		pool.Close()
	}
}
