package migrator_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// kinds are moves of columns of a table users (id, ...), each with what its rows
// are on either side. The statements are those of hooked applications.
var kinds = []struct {
	name string
	// columns, indexes and rows make the table.
	columns, indexes, rows string
	operation              string // of the file
	// sources and targets select what the rows say as text; was and becomes are
	// the answers before and after.
	sources, targets string
	was, becomes     []string
	// dual writes both sides in phase dualwrite, before the backfill; late writes
	// the targets in complete.
	dual, late string
	// back are the sources after a rollback from complete, again the targets after
	// another run.
	back, again []string
	// settled are the DEFAULTs of the targets in the end.
	settled []string
}{
	{
		name:    "int to bigint",
		columns: "age int not null default 7 unique", rows: "(1, 10), (2, -5), (3, 2147483647)",
		operation: "change: {from: age, to: age_big, type: bigint}",
		sources:   "age::text", targets: "age_big::text",
		was: []string{"10", "-5", "2147483647"}, becomes: []string{"11", "-5", "2147483647"},
		dual: "update users set age = 11, age_big = 11 where id = 1", late: "update users set age_big = 12 where id = 1; insert into users (id, age_big) values (4, 8)",
		back: []string{"12", "-5", "2147483647", "8"}, again: []string{"12", "-5", "2147483647", "8"},
		settled: []string{"'7'::bigint"},
	},
	{
		name:    "text to uuid",
		columns: "code text", rows: "(1, '00000000-0000-0000-0000-000000000001'), (2, null)",
		operation: "change: {from: code, to: uid, type: uuid, preserves: equality}",
		sources:   "code", targets: "uid::text",
		was: []string{"00000000-0000-0000-0000-000000000001", ""}, becomes: []string{"00000000-0000-0000-0000-000000000001", ""},
		late: "update users set uid = '00000000-0000-0000-0000-00000000000A' where id = 2",
		back: []string{"00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-00000000000a"},
	},
	{
		name:    "timestamp to timestamptz",
		columns: "at timestamp not null", rows: "(1, '2026-07-01 12:00'), (2, 'infinity')",
		operation: "change: {from: at, to: at_tz, type: timestamptz, forward: at at time zone 'UTC', backward: at_tz at time zone 'UTC'}",
		sources:   "at::text", targets: "(at_tz at time zone 'Asia/Tokyo')::text",
		was: []string{"2026-07-01 12:00:00", "infinity"}, becomes: []string{"2026-07-01 21:00:00", "infinity"},
		late: "update users set at_tz = '2026-01-01 00:00+01' where id = 2",
		back: []string{"2026-07-01 12:00:00", "2025-12-31 23:00:00"}, again: []string{"2026-07-01 21:00:00", "2026-01-01 08:00:00"},
	},
	{
		name:    "varchar to text",
		columns: "label varchar(10) default 'none'", indexes: "create index on users (label, id); create index on users (lower(label))",
		rows:      "(1, 'a'), (2, null), (3, 'ünïcode')",
		operation: "change: {from: label, to: tag, type: text}",
		sources:   "label", targets: "tag",
		was: []string{"a", "", "ünïcode"}, becomes: []string{"a", "", "ünïcode"},
		late: "update users set tag = 'b' where id = 1",
		back: []string{"b", "", "ünïcode"}, again: []string{"b", "", "ünïcode"}, settled: []string{"'none'::text"},
	},
	{
		name:    "text to enum",
		columns: "mood text not null default 'good'", rows: "(1, 'good'), (2, 'bad')",
		operation: "change: {from: mood, to: humour, type: mood}",
		sources:   "mood", targets: "humour::text",
		was: []string{"good", "bad"}, becomes: []string{"good", "bad"},
		late: "update users set humour = 'bad'", back: []string{"bad", "bad"}, again: []string{"bad", "bad"},
		settled: []string{"'good'::mood"},
	},
	{
		name:    "numeric scale",
		columns: "price numeric(8,4)", rows: "(1, 1.2345), (2, 2.5), (3, null)",
		operation: "change: {from: price, to: amount, type: 'numeric(6,2)', lossy: [forward]}",
		sources:   "price::text", targets: "amount::text",
		was: []string{"1.2345", "2.5000", ""}, becomes: []string{"1.23", "2.50", ""},
		late: "update users set amount = 3 where id = 2", back: []string{"1.2345", "3.0000", ""}, again: []string{"1.23", "3.00", ""},
	},
	{
		name:    "json to jsonb",
		columns: "doc json", rows: `(1, '{"b":1, "a":1}'), (2, null)`,
		operation: "change: {from: doc, to: doc_b, type: jsonb, lossy: [forward]}",
		sources:   "doc::text", targets: "doc_b::text",
		was: []string{`{"b":1, "a":1}`, ""}, becomes: []string{`{"a": 1, "b": 1}`, ""},
		late: `update users set doc_b = '[1]' where id = 2`, back: []string{`{"b":1, "a":1}`, "[1]"},
		again: []string{`{"a": 1, "b": 1}`, "[1]"},
	},
	{
		name:    "text to int, with loss",
		columns: "flag text", rows: "(1, '7'), (2, '007'), (3, 'none')",
		operation: `change: {from: flag, to: n, type: int, forward: "case when flag ~ '^[0-9]+$' then flag::int end", lossy: [forward]}`,
		sources:   "flag", targets: "n::text",
		was: []string{"7", "007", "none"}, becomes: []string{"7", "7", "", "4"},
		dual: "insert into users (id, flag, n) values (4, '04', 4)",
		late: "update users set n = 8 where id in (1, 3)", back: []string{"8", "007", "8", "04"}, again: []string{"8", "7", "8", "4"},
	},
	{
		name:    "split",
		columns: "full_name text default 'Jane Doe' unique", rows: "(1, 'Ada Lovelace'), (2, 'Cher'), (3, null)",
		operation: `split: {from: full_name, backward: "first_name || ' ' || last_name", lossy: [forward, backward], to: [
			{name: first_name, type: text, value: "split_part(full_name, ' ', 1)"},
			{name: last_name, type: varchar(40), value: "split_part(full_name, ' ', 2)"}]}`,
		sources: "full_name", targets: "concat_ws('|', first_name, last_name)",
		was: []string{"Ada Lovelace", "Cher", ""}, becomes: []string{"Ada|Lovelace", "Cher|", "Mary Ann|Lee"},
		dual: "update users set full_name = 'Mary Ann Lee', first_name = 'Mary Ann', last_name = 'Lee' where id = 3",
		late: "update users set first_name = 'Augusta' where id = 1", back: []string{"Augusta Lovelace", "Cher", "Mary Ann Lee"},
		again: []string{"Augusta|Lovelace", "Cher|", "Mary|Ann"}, settled: []string{"'Jane'::text", "'Doe'::character varying(40)"},
	},
	{
		name:    "odd names",
		columns: `"Full ""Name%s" text default 'x' unique`, rows: "(1, 'a'), (2, null)",
		operation: `change: {from: 'Full "Name%s', to: key, type: text, forward: 'upper("Full ""Name%s")', backward: 'lower("key")', not_null: false}`,
		sources:   `"Full ""Name%s"`, targets: `key`, was: []string{"a", ""}, becomes: []string{"A", ""},
		late: `update users set key = 'B' where id = 2`, back: []string{"a", "b"}, again: []string{"A", "B"}, settled: []string{"'X'::text"},
	},
	{
		name:    "merge",
		columns: "first_name text not null, last_name text not null default 'Doe', unique (last_name, first_name)",
		rows:    "(1, 'Ada', 'Lovelace'), (2, 'Mary Ann', 'Lee')",
		operation: `merge: {to: full_name, type: text, forward: "first_name || ' ' || last_name", lossy: [forward, backward], from: [
			{name: first_name, value: "split_part(full_name, ' ', 1)"}, {name: last_name, value: "split_part(full_name, ' ', 2)"}]}`,
		sources: "concat_ws('|', first_name, last_name)", targets: "full_name",
		was: []string{"Ada|Lovelace", "Mary Ann|Lee"}, becomes: []string{"Ada King", "Mary Ann Lee"},
		dual: "update users set last_name = 'King', full_name = 'Ada King' where id = 1",
		late: "insert into users (id, full_name) values (3, 'Grace Hopper')",
		back: []string{"Ada|King", "Mary Ann|Lee", "Grace|Hopper"}, again: []string{"Ada King", "Mary Ann Lee", "Grace Hopper"},
	},
}

// TestKinds takes each kind to complete, back to off, and all the way.
func TestKinds(t *testing.T) {
	t.Parallel()
	for _, c := range kinds {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.NewFrom(t, "create type mood as enum ('good', 'bad'); create table users (id bigint primary key, "+c.columns+");"+
				c.indexes+"; insert into users values "+c.rows)
			conn := audit(t, db)
			m := newMigrator(t, db, migrator.Config{})
			require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
			tr, err := migrator.ParseTransition([]byte("name: move\ntable: users\nignore_applications: [auditor]\n" + c.operation))
			require.NoError(t, err)
			read := func(side string) []string {
				return list[string](t, conn, "select coalesce("+side+", '') from users order by id")
			}
			require.Equal(t, c.was, read(c.sources))
			original := shape(t, conn)

			_, err = m.Start(ctx, tr)
			require.NoError(t, err)
			_, err = m.Advance(ctx, tr.Name, migrator.AdvanceOptions{To: migrator.DualWrite})
			require.NoError(t, err)
			if c.dual != "" {
				db.Exec(t, c.dual)
			}
			_, err = m.Run(ctx, tr.Name, migrator.RunOptions{})
			require.NoError(t, err)
			require.Equal(t, c.becomes, read(c.targets))

			db.Exec(t, c.late)
			_, err = m.Rollback(ctx, tr.Name, migrator.RollbackOptions{})
			require.NoError(t, err)
			require.Equal(t, c.back, read(c.sources))
			require.Equal(t, original, shape(t, conn))

			p, err := m.Run(ctx, tr.Name, untilContracted)
			require.NoError(t, err)
			require.Equal(t, migrator.Contracted, p.Phase)
			if c.again == nil {
				c.again = c.back
			}
			require.Equal(t, c.again, read(c.targets))
			require.ElementsMatch(t, c.settled, list[string](t, conn, `select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d
				where d.adrelid = 'users'::regclass order by d.adnum`), "defaults")
			for _, line := range shape(t, conn) {
				for _, source := range tr.Sources() {
					require.NotContains(t, line, "column "+source+" ")
				}
				require.NotContains(t, line, "crossfade_")
			}
			require.NoError(t, m.Remove(ctx, tr.Name))
		})
	}
}
