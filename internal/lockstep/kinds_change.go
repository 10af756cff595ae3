package lockstep

import "github.com/pgcrossfade/crossfade/internal/transform"

// change is a column of users that becomes one of another type.
func change(preserves transform.Preserve, source, target transform.Column, sources, targets []string, wrongSource, wrongTarget string, lossy ...transform.Direction) Move {
	return Move{
		Table: "users",
		Move: transform.Move{
			Kind: transform.Change, Sources: []transform.Column{source}, Targets: []transform.Column{target},
			Lossy: lossy, Preserves: preserves,
		},
		Values: map[string][]string{source.Name: sources, target.Name: targets},
		Wrong:  map[string]string{source.Name: wrongSource, target.Name: wrongTarget},
	}
}

var (
	uuids = []string{
		"'00000000-0000-4000-8000-000000000001'", "'00000000-0000-4000-8000-000000000002'", "'00000000-0000-4000-8000-0000000000aa'",
		"'11111111-0000-4000-8000-000000000001'", "'22222222-0000-4000-8000-000000000001'", "'ffffffff-0000-4000-8000-000000000001'",
	}
	moments = []string{
		"'2020-01-01 00:00:00'", "'2021-06-15 12:30:00'", "'1999-12-31 23:59:59'",
		"'2024-02-29 08:00:00'", "'2021-06-15 12:30:01'", "'2000-01-01 00:00:00.5'",
	}
	zoned = []string{
		"'2020-01-01 00:00:00+00'", "'2021-06-15 12:30:00+00'", "'1999-12-31 23:59:59+00'",
		"'2024-02-29 10:00:00+02'", "'2021-06-15 12:30:01+00'", "'2000-01-01 00:00:00.5+00'",
	}
	moods     = []string{"'sad'", "'ok'", "'happy'", "'sad'", "'ok'", "'happy'"}
	documents = []string{`'{"a": 1}'`, `'[1, 2]'`, `'{}'`, `'"s"'`, `'{"a": "x", "b": null}'`, "'7'"}
	digits    = []string{"'1'", "'2'", "'30'", "'-4'", "'500'", "'6'"}
	prices    = []string{"1.25", "2", "0.5", "100", "3.10", "7.99"}
)

var changes = []Kind{
	{"integer to bigint", []Move{change(transform.PreserveComparison,
		defaulting(column("full_name", "integer", "(name)::integer"), "7"), column("name", "bigint", "(full_name)::bigint"),
		numbers, numbers, "id::int + 1000", "id + 1000")}},
	{"integer to bigint, unique", []Move{unique(change(transform.PreserveComparison,
		column("full_name", "integer", "(name)::integer"), column("name", "bigint", "(full_name)::bigint"),
		numbers, numbers, "id::int + 1000", "id + 1000"))}},
	{"integer to bigint, primary key", []Move{key(change(transform.PreserveComparison,
		column("full_name", "integer", "(name)::integer"), column("name", "bigint", "(full_name)::bigint"),
		numbers, numbers, "id::int + 1000", "id + 1000"))}},
	{"text to uuid", []Move{change(transform.PreserveNothing,
		column("full_name", "text", "(name)::text"), column("name", "uuid", "(full_name)::uuid"),
		uuids, uuids, "'wrong ' || id", "('99999999-0000-4000-8000-00000000000' || id % 10)::uuid", transform.Forward)}},
	{"timestamp to timestamptz", []Move{change(transform.PreserveOrder,
		defaulting(column("full_name", "timestamp without time zone", "(name AT TIME ZONE 'UTC'::text)"), "'2020-01-01 00:00:00'::timestamp without time zone"),
		column("name", "timestamp with time zone", "(full_name AT TIME ZONE 'UTC'::text)"),
		moments, zoned, "'1980-01-01'::timestamp + id * '1 day'::interval", "'1980-01-01'::timestamptz + id * '1 day'::interval")}},
	{"varchar to text", []Move{change(transform.PreserveComparison,
		defaulting(limited("full_name", "character varying", "20", "(name)::character varying"), "'nobody'::character varying"),
		column("name", "text", "(full_name)::text"),
		names, names, wrongText, wrongText)}},
	{"text to enum", []Move{change(transform.PreserveNothing,
		defaulting(column("full_name", "text", "(name)::text"), "'ok'::text"), column("name", "public.mood", "(full_name)::public.mood"),
		moods, moods, "'wrong ' || id", "'happy'::public.mood", transform.Forward)}},
	{"numeric to another scale", []Move{change(transform.PreserveNothing,
		limited("full_name", "numeric", "12,4", "name"), limited("name", "numeric", "14,2", "full_name"),
		prices, prices, "id + 1000", "id + 1000", transform.Forward)}},
	{"json to jsonb", []Move{change(transform.PreserveNothing,
		defaulting(column("full_name", "json", "(name)::json"), "'{}'::json"), column("name", "jsonb", "(full_name)::jsonb"),
		documents, documents, "to_json(id + 1000)", "to_jsonb(id + 1000)", transform.Forward)}},
	{"text to integer", []Move{change(transform.PreserveNothing,
		defaulting(column("full_name", "text", "(name)::text"), "'0'::text"), column("name", "integer", "(full_name)::integer"),
		digits, numbers, "(id + 1000)::text", "id::int + 1000", transform.Forward)}},
}
