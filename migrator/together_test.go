package migrator_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// together are transitions in which several things meet that each have tests of
// their own. In the end each table is what somebody would have made by hand.
var together = map[string]struct {
	setup string
	file  string
	// byHand turns the setup into that of the end.
	byHand []string
	// write is a statement of a hooked application by the source's name, and old
	// one of a session without the hook; empty for none. Both have $1.
	write, old string
}{
	"dependents, a kept name and a trigger": {
		setup: strings.NewReplacer("alter table users replica identity using index users_full_name_key;", "", "full_name text", "full_name varchar(50)",
			"alter full_name set storage external, ", "").Replace(laden) + `;
			create index on users (full_name, visits); create index by_length on users (length(full_name));
			alter table users add unique (full_name, visits); alter table users add constraint short check (full_name <> '');
			create statistics about on full_name, id from users`,
		file: "change: {from: full_name, to: name, type: text, keep_name: true}\nsync: trigger\naccept: [view-becomes-read-only]",
		byHand: []string{
			"full_name varchar(50) not null, visits int not null default 0)", "visits int not null default 0, full_name text not null)", "'user ' || i, 0", "0, 'user ' || i",
			"select id, full_name from users where full_name <> 'nobody'", `select id, "varchar"(full_name::varchar, 54, false)::varchar(50) as full_name
				from users where "varchar"(full_name::varchar, 54, false)::varchar(50) <> 'nobody'`,
		},
		write: `update users set full_name = 'new ' || $1::int where id = 1`,
		old:   `update users set full_name = 'old ' || $1::int where id = 2`,
	},
	"a key with dependents and a kept name": {
		setup: `
			create table users (id int generated always as identity primary key, parent int references users, label text not null default '',
				constraint users_id_check check (id > 0));
			insert into users (label) select 'user ' || i from generate_series(1, 50) i;
			create table pets (id bigint primary key, owner int references users on delete cascade);
			insert into pets select i, i from generate_series(1, 50) i;
			create index on users (id, label);
			alter table users enable row level security;
			create policy own on users using (id > 0);
			create function touch() returns trigger language plpgsql as 'begin new.label := new.label || ''!''; return new; end';
			create trigger listed before update of id on users for each row execute function touch();
			create view people as select id, label from users;
			create publication everybody for table users; alter table users replica identity full`,
		file: "change: {from: id, to: id_big, type: bigint, keep_name: true}\n" +
			"accept: [view-becomes-read-only]",
		byHand: []string{"users (id int ", "users (id bigint ", "select id, label", "select id::int, label"},
		write:  `insert into users (label, parent) values ('child', (select max(id) from users where id < $1::int * 0 + 10))`,
	},
	"partitions, a kept name and a trigger": {
		setup:  strings.NewReplacer("full_name text", "full_name varchar(50)", "'no' || 'body'", "'nobody'").Replace(layouts["list and hash"].setup(100)),
		file:   "change: {from: full_name, to: name, type: text, keep_name: true}\nsync: trigger",
		byHand: []string{"full_name varchar(50)", "full_name text"},
		write:  `update users set full_name = 'new ' || $1::int where id = 1`,
		old:    `update users set full_name = 'old ' || $1::int where id = 2`,
	},
	"partitions and a kept name": {
		setup:  strings.NewReplacer("full_name text", "full_name varchar(50)", "'no' || 'body'", "'nobody'").Replace(layouts["range"].setup(200)),
		file:   "change: {from: full_name, to: name, type: text, keep_name: true}",
		byHand: []string{"full_name varchar(50)", "full_name text"},
		write:  `update users set full_name = 'new ' || $1::int where id = 1`,
	},
}

// everything lists the catalog as far as a schema dump would show it.
func everything(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	return list[string](t, conn, `
		with tables as (select c.oid as rel, c.oid::regclass::text as name, relkind, relreplident, relacl, reloptions from pg_class c
			where relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace, 'crossfade'::regnamespace)
				and relkind in ('r', 'p', 'v'))
		select concat_ws(' ', 'table', name, relkind, relreplident, relacl, reloptions, obj_description(rel, 'pg_class'),
			case relkind when 'v' then pg_get_viewdef(rel) end) from tables
		union all select concat_ws(' ', 'column', name, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attstattarget, attstorage,
			attoptions, attacl, pg_get_expr(adbin, adrelid), col_description(rel, attnum))
			from tables join pg_attribute on attrelid = rel and attnum > 0 and not attisdropped left join pg_attrdef on adrelid = rel and adnum = attnum
		union all select concat_ws(' ', 'constraint', name, conname, pg_get_constraintdef(k.oid), convalidated, coninhcount, obj_description(k.oid, 'pg_constraint'))
			from tables join pg_constraint k on conrelid = rel where contype <> 'n'
		union all select concat_ws(' ', 'index', pg_get_indexdef(indexrelid), indisvalid, indisprimary, indisreplident, inhparent::regclass)
			from tables join pg_index on indrelid = rel left join pg_inherits on inhrelid = indexrelid
		union all select concat_ws(' ', 'trigger', pg_get_triggerdef(g.oid), tgenabled) from tables join pg_trigger g on tgrelid = rel where not tgisinternal
		union all select concat_ws(' ', 'policy', name, polname, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) from tables join pg_policy on polrelid = rel
		union all select concat_ws(' ', 'statistics', pg_get_statisticsobjdef(oid)) from pg_statistic_ext
		union all select concat_ws(' ', 'sequence', seqrelid::regclass, seqtypid::regtype, seqmax, refobjid::regclass, attname, deptype)
			from pg_sequence left join pg_depend on classid = 'pg_class'::regclass and objid = seqrelid and deptype in ('a', 'i')
			left join pg_attribute on attrelid = refobjid and attnum = refobjsubid where seqrelid::regclass::text not like 'crossfade.%'
		union all select concat_ws(' ', 'publication', pubname, prrelid::regclass) from pg_publication join pg_publication_rel on prpubid = pg_publication.oid
		order by 1`)
}

// TestTogether goes as far as each step and back, finds everything as it was,
// and goes on to the end. Statements of applications succeed all the way.
func TestTogether(t *testing.T) {
	t.Parallel()
	for name, c := range together {
		file := "name: move\ntable: users\nignore_applications: [auditor]\n" + c.file
		tr, err := migrator.ParseTransition([]byte(file))
		require.NoError(t, err)
		steps := 13
		if c.old != "" {
			steps++
		}
		stride := 1
		if testing.Short() {
			stride = 4
		}
		for n := 0; n < steps; n += stride {
			t.Run(fmt.Sprintf("%s, back after %d steps", name, n), func(t *testing.T) {
				t.Parallel()
				db, m := begun(t, c.setup)
				conn := audit(t, db)
				before := everything(t, conn)
				_, err := m.Start(ctx, tr)
				require.NoError(t, err)
				_, pool := hooked(t, db, dualwrite.StarsSource)
				wrote := 0
				use := func() {
					t.Helper()
					p, err := m.Status(ctx, migrator.StatusOptions{Name: tr.Name})
					require.NoError(t, err)
					wrote++
					_, err = pool.Exec(ctx, c.write, wrote)
					require.NoError(t, err, p[0].Step)
					gone := p[0].Phase == migrator.Contracted || p[0].Phase == migrator.Named
					if c.old != "" && !gone {
						_, err := conn.Exec(ctx, c.old, wrote)
						require.NoError(t, err, p[0].Step)
						var read string
						require.NoError(t, pool.QueryRow(ctx, "select full_name from users where id = 2").Scan(&read), p[0].Step)
						require.Equal(t, fmt.Sprint("old ", wrote), read, p[0].Step)
						require.Equal(t, fmt.Sprint("new ", wrote), scan[string](t, conn, "select full_name from users where id = 1"), p[0].Step)
						require.Zero(t, scan[int](t, conn, "select count(*) from pg_trigger where tgname like 'zzzz_crossfade%' and tgenabled <> 'A'"), "those of partitions")
					}
				}
				use()
				for range n {
					_, err := m.Advance(ctx, tr.Name, migrator.AdvanceOptions{})
					require.NoError(t, err)
				}
				use()
				_, err = m.Rollback(ctx, tr.Name, migrator.RollbackOptions{})
				require.NoError(t, err)
				requireAlike(t, before, everything(t, conn))
				use()
				_, err = m.Run(ctx, tr.Name, migrator.RunOptions{})
				require.NoError(t, err)
				use()
				if c.old != "" {
					age(t, db)
				}
				_, err = m.Contract(ctx, tr.Name, withoutSnapshot)
				require.NoError(t, err)
				use()
				pool.Close()
				require.NoError(t, m.Remove(ctx, tr.Name))
				byHand := pgtest.NewFrom(t, strings.NewReplacer(c.byHand...).Replace(c.setup)+"; create schema if not exists crossfade")
				requireAlike(t, nameless(everything(t, audit(t, byHand))), nameless(everything(t, conn)))
			})
		}
	}
}

// requireAlike shows the lines alone that differ.
func requireAlike(t *testing.T, want, is []string) {
	t.Helper()
	var differ []string
	for _, line := range want {
		if i := slices.Index(is, line); i >= 0 {
			is = slices.Delete(is, i, i+1)
		} else {
			differ = append(differ, "- "+line)
		}
	}
	for _, line := range is {
		differ = append(differ, "+ "+line)
	}
	require.Empty(t, strings.Join(differ, "\n"))
}
