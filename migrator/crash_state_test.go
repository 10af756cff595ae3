package migrator_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// state is all that a database holds: the catalogs' view of the application's
// schemas, the rows of its tables without the column vary, and what the ledger has
// of objects and of unfinished work. Neither the order of columns nor numbers in
// the names of Crossfade's own objects count.
func state(t *testing.T, db *pgtest.DB, vary string) []string {
	t.Helper()
	conn := audit(t, db)
	defer conn.Close(ctx)
	lines := list[string](t, conn, stateOfCatalogs)
	for _, table := range list[string](t, conn, `select c.oid::regclass::text from pg_class c
		where relkind = 'r' and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'crossfade'::regnamespace)`) {
		lines = append(lines, list[string](t, conn, fmt.Sprintf(`select 'row of %s ' || (to_jsonb(t) - $1::text)::text from only %s t`,
			table, table), vary)...)
	}
	for _, table := range list[string](t, conn, `select c.oid::regclass::text from pg_class c
		where relkind = 'S' and relnamespace not in ('pg_catalog'::regnamespace, 'crossfade'::regnamespace)`) {
		lines = append(lines, list[string](t, conn, fmt.Sprintf(`select 'row of sequence %s ' || last_value from %s`, table, table))...)
	}
	slices.Sort(lines)
	return lines
}

func withoutRows(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return strings.HasPrefix(line, "row of ") })
}

// sequencesIn are the lines that say how far sequences have counted.
func sequencesIn(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return !strings.HasPrefix(line, "row of sequence ") })
}

const stateOfCatalogs = `
	with spaces as (
		select oid from pg_namespace where nspname <> 'crossfade' and nspname <> 'information_schema' and nspname !~ '^pg_'),
	tables as (select * from pg_class where relnamespace in (select oid from spaces) and relkind in ('r', 'p', 'v', 'm'))
	select concat_ws(' ', 'relation', oid::regclass, relkind, relreplident, relpersistence, relrowsecurity, relforcerowsecurity,
		reloptions, relacl, relowner::regrole, pg_get_expr(relpartbound, oid), obj_description(oid, 'pg_class')) from tables
	union all
	select concat_ws(' ', 'column', attrelid::regclass, attname, format_type(atttypid, atttypmod), case when attnotnull then 'not null' end,
		'identity ' || nullif(attidentity::text, ''), 'generated ' || nullif(attgenerated::text, ''), pg_get_expr(adbin, adrelid),
		col_description(attrelid, attnum), attacl, attstorage, attcollation, nullif(attstattarget, -1), attoptions)
	from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
	where attrelid in (select oid from tables) and attnum > 0 and not attisdropped
	union all
	select concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid), conislocal, coninhcount, obj_description(oid, 'pg_constraint'))
	from pg_constraint where connamespace in (select oid from spaces) and contype <> 'n'
	union all
	select concat_ws(' ', 'index', pg_get_indexdef(indexrelid), indisvalid, indisready, indisreplident, indisclustered, obj_description(indexrelid, 'pg_class'),
		(select inhparent::regclass from pg_inherits where inhrelid = indexrelid))
	from pg_index where indrelid in (select oid from tables)
	union all
	select concat_ws(' ', 'trigger', tgrelid::regclass, pg_get_triggerdef(oid), tgenabled)
	from pg_trigger where tgrelid in (select oid from tables) and not tgisinternal
	union all
	select concat_ws(' ', 'policy', polrelid::regclass, polname, polcmd, polpermissive, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
	from pg_policy
	union all
	select concat_ws(' ', 'rule', pg_get_ruledef(oid)) from pg_rewrite where ev_class in (select oid from tables)
	union all
	select concat_ws(' ', 'function', pg_get_functiondef(oid)) from pg_proc where pronamespace in (select oid from spaces) and prokind in ('f', 'p')
	union all
	select concat_ws(' ', 'statistics', pg_get_statisticsobjdef(oid)) from pg_statistic_ext
	union all
	select concat_ws(' ', 'sequence', s.seqrelid::regclass, format_type(seqtypid, null), seqstart, seqincrement, seqmin, seqmax, seqcycle,
		d.refobjid::regclass || '.' || a.attname)
	from pg_sequence s join pg_class c on c.oid = seqrelid and relnamespace in (select oid from spaces)
	left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')
	left join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
	union all
	select 'crossfade ' || relkind::text || ' ' || regexp_replace(relname, '\d+', 'N', 'g') from pg_class where relnamespace = 'crossfade'::regnamespace
	union all
	select 'crossfade function ' || regexp_replace(proname, '\d+', 'N', 'g') from pg_proc where pronamespace = 'crossfade'::regnamespace
	union all
	select 'active ' || name || ' ' || step || ' ' || underway from crossfade.transition where removed_at is null or draining is not null
	union all
	select 'publication ' || pubname from pg_publication
	union all
	select 'slot ' || slot_name from pg_replication_slots where database = current_database()
	union all
	select 'position of ' || slot from crossfade.position
	union all
	select 'joins are held' from crossfade.join_v1 where held_ms > 0`

// clone copies a database that nobody is connected to.
func clone(t *testing.T, admin, db *pgtest.DB, suffix string) *pgtest.DB {
	t.Helper()
	copied := &pgtest.DB{Name: db.Name + "_" + suffix}
	config := db.Config(t)
	copied.URL = fmt.Sprintf("host=%s port=%d user=%s password='%s' dbname=%s", config.Host, config.Port, config.User, config.Password, copied.Name)
	// The server may take a moment to notice that the last client has gone.
	conn := connect(t, admin, auditor)
	defer conn.Close(ctx)
	pgtest.WaitFor(t, "sessions of "+db.Name+" to end", func() bool {
		return scan[int](t, conn, `select count(*) from pg_stat_activity where datname = $1`, db.Name) == 0
	})
	_, err := conn.Exec(ctx, `create database `+copied.Name+` template `+db.Name)
	require.NoError(t, err)
	t.Cleanup(func() { admin.Exec(t, `drop database `+copied.Name+` with (force)`) })
	return copied
}

// terminate ends the sessions of an application, as an operator would.
func terminate(db *pgtest.DB, application string) error {
	conn, err := pgx.Connect(ctx, db.URL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, `select pg_terminate_backend(pid) from pg_stat_activity
		where datname = current_database() and application_name = $1`, application)
	return err
}
