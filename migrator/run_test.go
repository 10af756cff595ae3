package migrator_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/migrator"
)

func TestRunAndContract(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	conn := audit(t, db)
	before := list[string](t, conn, `select id || full_name || email || visits from users order by id`)

	p, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
	require.Equal(t, migrator.Complete, p.Phase)
	require.Equal(t, "complete", p.Step)
	p, err = m.Contract(ctx, rename.Name, withoutSnapshot)
	require.NoError(t, err)
	require.Equal(t, migrator.Contracted, p.Phase)
	require.Equal(t, "name", p.Step)

	require.Equal(t, before, list[string](t, conn, `select id || name || email || visits from users order by id`))
	require.Equal(t, contractedShape, shape(t, conn))
	require.Equal(t, []string{"t1_contracted_8"}, tokens(t, conn))

	require.NoError(t, m.Remove(ctx, rename.Name))
	require.Empty(t, tokens(t, conn))
	require.Equal(t, contractedShape, shape(t, conn))
	status, err := m.Status(ctx, migrator.StatusOptions{})
	require.NoError(t, err)
	require.Empty(t, status)
}

// contractedShape is the table users after the rename.
var contractedShape = []string{
	`CREATE INDEX users_lower_idx ON public.users USING btree (lower(name), visits) WHERE (visits > 0)`,
	`CREATE INDEX users_name_idx ON public.users USING btree (name)`,
	`CREATE UNIQUE INDEX users_email_name_key ON public.users USING btree (email, name)`,
	`CREATE UNIQUE INDEX users_pkey ON public.users USING btree (id)`,
	`column email text not null`,
	`column id bigint not null`,
	`column name text not null default ('no'::text || 'body'::text) -- how to address the user`,
	`column visits integer not null default 0`,
	`constraint users_email_name_key UNIQUE (email, name)`,
	`constraint users_pkey PRIMARY KEY (id)`,
}

// originalShape is the table users before the rename.
var originalShape = []string{
	`CREATE INDEX users_full_name_idx ON public.users USING btree (full_name)`,
	`CREATE INDEX users_lower_idx ON public.users USING btree (lower(full_name), visits) WHERE (visits > 0)`,
	`CREATE UNIQUE INDEX users_email_full_name_key ON public.users USING btree (email, full_name)`,
	`CREATE UNIQUE INDEX users_pkey ON public.users USING btree (id)`,
	`column email text not null`,
	`column full_name text not null default ('no'::text || 'body'::text) -- how to address the user`,
	`column id bigint not null`,
	`column visits integer not null default 0`,
	`constraint users_email_full_name_key UNIQUE (email, full_name)`,
	`constraint users_pkey PRIMARY KEY (id)`,
}
