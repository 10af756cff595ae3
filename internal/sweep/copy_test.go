package sweep_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/sweep"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func TestCopyAlongEachKindOfKey(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, key, value string // value of row i
		columns          []string
		more             string
	}{
		{name: "int", key: "id int primary key", value: "i * 7"},
		{name: "bigint", key: "id bigint primary key", value: "i - 100 + 9007199254740993"},
		{name: "numeric", key: "id numeric(12,3) primary key", value: "i / 3.0"},
		{name: "float", key: "id float8 primary key", value: "i / 3.0::float8"},
		{name: "uuid", key: "id uuid primary key", value: "md5(i::text)::uuid"},
		{name: "text", key: "id text primary key", value: "chr(65 + i % 60) || i"},
		{name: "text collated", key: `id text collate "und-x-icu" primary key`, value: "chr(65 + i % 200) || ' ' || i"},
		{name: "text nondeterministic", key: `id text collate loose primary key`, value: "chr(65 + i % 26) || ' ' || i",
			more: `create collation loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`},
		{name: "text with quotes", key: "id text primary key", value: `'it''s "\' || i || '"$1'`},
		{name: "char", key: "id char(8) primary key", value: "'x' || i"},
		{name: "varbit", key: "id bit(16) primary key", value: "i::bit(16)"},
		{name: "bytea", key: "id bytea primary key", value: "decode(md5(i::text), 'hex')"},
		{name: "timestamptz", key: "id timestamptz primary key", value: "'2024-03-31 00:00+01'::timestamptz + i * interval '17.123456 min'"},
		{name: "interval", key: "id interval primary key", value: "i * interval '-1 day 5 min'"},
		{name: "domain", key: "id small primary key", value: "i", more: "create domain small as int check (value < 1000)"},
		{name: "int and text", key: "a int, id text, primary key (a, id)", value: "i % 4, 'v' || i", columns: []string{"a", "id"}},
		{name: "uuid and time", key: "id uuid, at timestamptz, n int, primary key (id, at, n)", columns: []string{"id", "at", "n"},
			value: "md5((i % 3)::text)::uuid, '2024-01-01'::timestamptz + (i % 20) * interval '1 day', i"},
		{name: "quoted", key: `"My ""Key" int primary key`, value: "i", columns: []string{`My "Key`}},
		{name: "partitioned", key: "id int primary key", value: "i"},
	}
	f := newFixture(t, "")
	// The text of a key must read the same in every session.
	f.exec(`alter database ` + f.db.Name + ` set datestyle = 'SQL, DMY'`)
	f.exec(`alter database ` + f.db.Name + ` set extra_float_digits = -5`)
	f.exec(`alter database ` + f.db.Name + ` set intervalstyle = 'sql_standard'`)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			partition := ""
			if c.name == "partitioned" {
				partition = ` partition by hash (id); create table p0 partition of item for values with (modulus 2, remainder 0);
					create table p1 partition of item for values with (modulus 2, remainder 1)`
			}
			if c.columns == nil {
				c.columns = []string{"id"}
			}
			f.rebuild(fmt.Sprintf(`%s; create table item (%s, src text, dst text)%s;
				insert into item select %s, 'value ' || i, null from generate_series(1, 200) i`,
				c.more, c.key, partition, c.value), c.columns...)

			o, batches := f.options(ledger.Backfill), 0
			o.OnProgress = func(sweep.Report) { batches++ }
			p, err := sweep.Copy(ctx, f.db.Conn(t), o)
			require.NoError(t, err)
			require.True(t, p.Finished())
			require.EqualValues(t, 200, p.RowsScanned)
			require.EqualValues(t, 200, p.RowsChanged)
			if partition == "" { // see parts_test.go
				require.Equal(t, 10, batches)
				require.EqualValues(t, 200, p.Estimate)
			}
			require.Equal(t, p.Upper, p.Position)
			require.Zero(t, f.different())

			p, err = sweep.Compare(ctx, f.db.Conn(t), f.options(ledger.Verify))
			require.NoError(t, err)
			require.EqualValues(t, 200, p.RowsScanned)
			require.Zero(t, p.Mismatches)
		})
	}
}

func TestCopyTablesOfOddShape(t *testing.T) {
	t.Parallel()
	const table = `create table item (id int primary key, src text, dst text); `
	f := newFixture(t, table)
	cases := []struct {
		name, ddl        string
		scanned, changed int64
	}{
		{"empty", table, 0, 0},
		{"one row", table + `insert into item values (1, 'a')`, 1, 1},
		{"a whole batch", table + `insert into item select i, 'a' from generate_series(1, 20) i`, 20, 20},
		{"one more", table + `insert into item select i, 'a' from generate_series(1, 21) i`, 21, 21},
		{"gaps", table + `insert into item select i * i * 1000, 'a' from generate_series(1, 50) i`, 50, 50},
		{"ends of the type", table + `insert into item values (-2147483648, 'a'), (0, 'b'), (2147483647, 'c')`, 3, 3},
		{"nulls", table + `insert into item values (1, null, 'x'), (2, null, null), (3, 'x', null), (4, '', null)`, 4, 3},
		{"right already", table + `insert into item select i, 'a', 'a' from generate_series(1, 50) i`, 50, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f.rebuild(c.ddl, "id")
			p, err := sweep.Copy(ctx, f.db.Conn(t), f.options(ledger.Backfill))
			require.NoError(t, err)
			require.True(t, p.Finished())
			require.Equal(t, c.scanned, p.RowsScanned)
			require.Equal(t, c.changed, p.RowsChanged)
			require.Zero(t, f.different())
		})
	}
}

// Where equality is coarser than identity, or missing, a copy is a copy all
// the same.
func TestCopyIsExact(t *testing.T) {
	t.Parallel()
	const loose = `create collation loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`
	f := newFixture(t, "")
	cases := []struct{ typ, src, dst, setup string }{
		{typ: "numeric", src: "1.00", dst: "1.0"},
		{typ: "float8", src: "-0", dst: "0"},
		{typ: "jsonb", src: `{"a": 1.00}`, dst: `{"a": 1.0}`},
		{typ: "json", src: `{"a": 1}`, dst: `{"a":1}`},
		{typ: "point", src: "(1,2)", dst: "(1,2.0000000001)"},
		{typ: "xml", src: "<a/>", dst: "<a></a>"},
		{typ: "interval", src: "1 mon", dst: "30 days"},
		{typ: "timetz", src: "10:00+01", dst: "10:00+02"},
		{typ: "bpchar", src: "a ", dst: "a"},
		{typ: "numeric[]", src: "{1.00,2}", dst: "{1.0,2}"},
		{typ: "citext", src: "A", dst: "a", setup: "create extension citext"},
		{typ: "citext[]", src: "{A}", dst: "{a}"},
		{typ: "price", src: "1.00", dst: "1.0", setup: "create domain price as numeric"},
		{typ: "pair", src: "(1.00,x)", dst: "(1.0,x)", setup: "create type pair as (a numeric, b text)"},
		{typ: "text collate loose", src: "A", dst: "a", setup: loose},
		{typ: "mood", src: "sad", dst: "glad", setup: "create type mood as enum ('sad', 'glad')"},
		{typ: "text", src: "a ", dst: "a"},
		{typ: "inet", src: "10.0.0.1/32", dst: "10.0.0.1/8"},
	}
	for _, c := range cases {
		t.Run(c.typ, func(t *testing.T) {
			f.rebuild(fmt.Sprintf(`%s; create table item (id int primary key, src %[2]s, dst %[2]s);
				insert into item values (1, '%[3]s', '%[4]s'), (2, '%[3]s', null), (3, null, '%[4]s'),
					(4, null, null), (5, '%[3]s', '%[3]s'), (6, repeat('%[3]s', 1)::%[5]s, '%[3]s')`, c.setup, c.typ, c.src, c.dst, strings.Fields(c.typ)[0]), "id")
			conn := f.db.Conn(t)
			p, err := sweep.Compare(ctx, conn, f.options(ledger.Verify))
			require.NoError(t, err)
			require.EqualValues(t, 3, p.Mismatches)
			require.Equal(t, [][]string{{"1"}, {"2"}, {"3"}}, p.Samples)

			p, err = sweep.Copy(ctx, conn, f.options(ledger.Backfill))
			require.NoError(t, err)
			require.EqualValues(t, 3, p.RowsChanged)
			require.Zero(t, f.different())

			require.NoError(t, ledger.ForgetProgress(ctx, conn, f.transition.ID, ledger.Verify))
			p, err = sweep.Compare(ctx, conn, f.options(ledger.Verify))
			require.NoError(t, err)
			require.Zero(t, p.Mismatches)
		})
	}
}

// Large values are compared as they are, however they are stored.
func TestCopyLargeValues(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `create table item (id int primary key, src jsonb, dst jsonb);
		alter table item alter dst set storage external;
		insert into item select i, jsonb_build_object('a', repeat(i::text, 20000)) from generate_series(1, 30) i`)
	for _, changed := range []int64{30, 0} {
		require.NoError(t, ledger.ForgetProgress(ctx, f.conn, f.transition.ID, ledger.Backfill))
		p, err := sweep.Copy(ctx, f.conn, f.options(ledger.Backfill))
		require.NoError(t, err)
		require.Equal(t, changed, p.RowsChanged)
	}
	require.Zero(t, f.different())
}

func TestColumnsOfDifferentCollation(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `create table item (id int primary key, src text collate "C", dst text collate "POSIX");
		insert into item values (1, 'a', null), (2, 'b', 'b')`)
	p, err := sweep.Copy(ctx, f.conn, f.options(ledger.Backfill))
	require.NoError(t, err)
	require.EqualValues(t, 1, p.RowsChanged)
}

func TestRefillCopiesTheOtherWay(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `create table item (id int primary key, src text, dst text);
		insert into item select i, null, 'value ' || i from generate_series(1, 50) i`)
	require.NoError(t, ledger.Forbid(ctx, f.conn, f.transition, ledger.Backfill))
	f.move("shadow")
	f.move("live")
	var err error
	f.token, err = ledger.Allow(ctx, f.conn, f.transition, ledger.Refill)
	require.NoError(t, err)
	p, err := sweep.Copy(ctx, f.conn, f.options(ledger.Refill))
	require.NoError(t, err)
	require.EqualValues(t, 50, p.RowsChanged)
	require.EqualValues(t, 50, query[int64](f, `select count(*) from item where src = 'value ' || id`))
}

func TestSweepRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	cases := map[string]struct {
		change func(*sweep.Options)
		text   string
	}{
		"no token": {func(o *sweep.Options) { o.Token = "" }, "token"},
		"no job":   {func(o *sweep.Options) { o.Job = "" }, "job"},
		"no key":   {func(o *sweep.Options) { o.Transition.Definition.Key = nil }, "key"},
		"no such column": {func(o *sweep.Options) {
			o.Transition.Definition.Move = transform.Renamed(transform.Column{Name: "src"}, "nowhere")
		}, "nowhere"},
		"no such table": {func(o *sweep.Options) { o.Transition.Table = "nowhere" }, "nowhere"},
		"different types": {func(o *sweep.Options) {
			o.Transition.Definition.Move = transform.Renamed(transform.Column{Name: "src"}, "id")
		}, "different types"},
		"types and key": {func(o *sweep.Options) { o.Transition.Definition.KeyTypes = []string{"int", "int"} }, "types"},
		"changed key":   {func(o *sweep.Options) { o.Transition.Definition.KeyTypes = []string{"uuid"} }, "has changed"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := f.options(ledger.Backfill)
			c.change(&o)
			_, err := sweep.Copy(ctx, f.conn, o)
			require.ErrorContains(t, err, c.text)
		})
	}
	require.EqualValues(t, 200, f.different())
}

// Rows that policies hide would be rows left behind.
func TestSweepSeesEveryRowOrFails(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable+`; alter table item enable row level security;
		create policy even on item using (id % 2 = 0)`)
	f.exec(`grant all on item, crossfade.transition, crossfade.progress, crossfade.worker, crossfade.chunk, crossfade.control to pg_monitor`)
	_, err := f.conn.Exec(ctx, `set role pg_monitor`)
	require.NoError(t, err)
	_, err = sweep.Compare(ctx, f.conn, f.options(ledger.Verify))
	require.ErrorContains(t, err, "row-level security")
}
