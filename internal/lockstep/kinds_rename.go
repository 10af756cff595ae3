package lockstep

import "github.com/pgcrossfade/crossfade/internal/transform"

var (
	names   = []string{"'Ann'", "'Bob'", "'Cyd'", "'Ötzi'", "''", "'dan'"}
	numbers = []string{"1", "2", "3", "40", "-5", "6"}
	objects = []string{`'{"a": 1}'`, `'[1, 2]'`, `'{}'`, `'"s"'`, `'{"a": "x", "b": null}'`, "'7'"}
)

// renamed moves a column of users to another name, with the same values on both
// sides.
func renamed(source transform.Column, target string, values []string, wrong string) Move {
	return Move{
		Table: "users", Move: transform.Renamed(source, target), Free: true,
		Values: map[string][]string{source.Name: values, target: values},
		Wrong:  map[string]string{source.Name: wrong, target: wrong},
	}
}

const wrongText = "'wrong ' || id"

// unique gives the column a UNIQUE constraint.
func unique(m Move) Move {
	m.Unique = true
	return m
}

// key makes the source the primary key of its table.
func key(m Move) Move {
	m.Key = true
	m.Sources[0], m.Targets[0] = required(m.Sources[0]), required(m.Targets[0])
	return m
}

// on moves the column of another table.
func on(table string, m Move) Move {
	m.Table = table
	return m
}

var renames = []Kind{
	{"rename", []Move{
		unique(renamed(column("full_name", "text", ""), "name", names, wrongText)),
	}},
	{"rename with default", []Move{
		renamed(required(defaulting(column("full_name", "text", ""), "'nobody'::text")), "name", names, wrongText),
	}},
	{"rename with volatile default", []Move{
		renamed(defaulting(column("full_name", "text", ""), "('d'::text || nextval('public.defaults'::regclass))"), "name", names, wrongText),
	}},
	{"rename a number", []Move{
		renamed(defaulting(column("full_name", "integer", ""), "7"), "name", numbers, "id::int + 1000"),
	}},
	{"rename a short text", []Move{
		renamed(defaulting(limited("full_name", "character varying", "20", ""), "'nobody'::character varying"), "name", names, wrongText),
	}},
	{"rename an object", []Move{
		renamed(defaulting(column("full_name", "jsonb", ""), "'{}'::jsonb"), "name", objects, "to_jsonb(id + 1000)"),
	}},
	{"rename to odd names", []Move{
		renamed(column("Full Name", "text", ""), "näme", names, wrongText),
	}},
	{"rename in two tables", []Move{
		renamed(defaulting(column("full_name", "text", ""), "'nobody'::text"), "name", names, wrongText),
		on("orders", renamed(defaulting(limited("total", "numeric", "10,2", ""), "1.5"), "amount", []string{"1.5", "2", "0.25", "100", "3.10", "7"}, "id + 1000")),
	}},
	{"rename two columns of one table", []Move{
		renamed(defaulting(column("full_name", "text", ""), "'nobody'::text"), "name", names, wrongText),
		renamed(column("nick", "text", ""), "handle", names, wrongText),
	}},
}
