package lockstep

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// Table is a table of the original schema.
type Table struct {
	Schema, Name string
	Columns      []Column
	// Key is its primary key.
	Key string
}

// Column is a column of a table, as statements may use it.
type Column struct {
	Name string
	Type Type
	// Default tells whether it has one; NotNull, whether it must have a value.
	Default, NotNull bool
	// Move is the move that has the column as its source, if any.
	Move *Move
	// SQLType is the type as the column declares it.
	SQLType string
	// Values are values to write; nil for those of the type.
	Values []string
	// Hidden is the target whose name an application may use for it; then the
	// column exists in no star.
	Hidden *transform.Column
}

// Free tells whether any value of the type may be written.
func (c Column) Free() bool { return c.Move == nil || c.Move.Free }

// prelude makes what tables need.
const prelude = `
create schema archive;
create schema lockstep;
create sequence public.codes;
create sequence public.volatile;
create sequence public.defaults;
create type public.mood as enum ('sad', 'ok', 'happy');
create function public.gen(text) returns text language sql volatile
	as $$ select $1 || nextval('public.volatile') $$;
`

// base are the tables without the columns that move, which stand third.
func base() []Table {
	return []Table{
		{"public", "users", []Column{
			{Name: "id", Type: Big, NotNull: true, SQLType: "bigint"},
			{Name: "email", Type: Str, SQLType: "text"},
			{Name: "age", Type: Int, Default: true, SQLType: "integer"},
			{Name: "code", Type: Big, Default: true, SQLType: "bigint"},
			{Name: "data", Type: JSONB, Default: true, SQLType: "jsonb"},
			{Name: "tags", Type: Strs, SQLType: "text[]"},
			{Name: "feeling", Type: Mood, Default: true, SQLType: "public.mood"},
		}, "id"},
		{"public", "orders", []Column{
			{Name: "id", Type: Int, NotNull: true, SQLType: "integer"},
			{Name: "user_id", Type: Big, SQLType: "bigint"},
			// The name of a target in another table.
			{Name: "name", Type: Str, SQLType: "text"},
			{Name: "note", Type: Str, SQLType: "character varying(20)"},
		}, "id"},
		{"public", "stock", []Column{
			{Name: "id", Type: Int, NotNull: true, SQLType: "integer"},
			// The name of a source in another table.
			{Name: "full_name", Type: Str, SQLType: "text"},
			{Name: "quantity", Type: Int, Default: true, SQLType: "integer"},
		}, "id"},
		// A table of the same name in a schema that search_path does not have.
		{"archive", "users", []Column{
			{Name: "id", Type: Big, NotNull: true, SQLType: "bigint"},
			{Name: "full_name", Type: Str, SQLType: "text"},
			{Name: "age", Type: Int, Default: true, SQLType: "integer"},
		}, "id"},
	}
}

var defaults = map[string]string{
	"age": "18", "code": "nextval('public.codes')", "data": "'{}'", "feeling": "'ok'", "quantity": "0",
}

// rowsOf is how many rows a table has to begin with.
const rowsOf = 6

// seeds are values of the columns that do not move, row by row.
var seeds = map[string][]string{
	"id":        {"1", "2", "3", "4", "5", "6"},
	"email":     {"'ann@x'", "'bob@x'", "null", "'oetzi@x'", "'e@x'", "'dan@x'"},
	"age":       {"30", "18", "18", "null", "51", "7"},
	"code":      {"1", "2", "3", "4", "5", "6"},
	"data":      {`'{"a": 1}'`, `'{}'`, "null", `'[1]'`, `'{"a": {"b": 2}}'`, "'3'"},
	"tags":      {"'{a,b}'", "'{}'", "null", "'{Ann}'", "'{x,null}'", "'{b}'"},
	"feeling":   {"'ok'", "'sad'", "'happy'", "null", "'ok'", "'sad'"},
	"user_id":   {"1", "1", "2", "null", "4", "9"},
	"name":      {"'Ann'", "'lamp'", "null", "'desk'", "'Bob'", "''"},
	"note":      {"'n1'", "null", "'Ann'", "''", "'n5'", "'lamp'"},
	"full_name": {"'Ann'", "'x'", "null", "'Bob'", "''", "'dan'"},
	"quantity":  {"3", "0", "null", "9", "1", "2"},
}

// Tables are the tables of the kind's original schema.
func (k Kind) Tables() []Table {
	tables := base()
	for i := range tables {
		t := &tables[i]
		if t.Schema != "public" {
			continue
		}
		at := 2
		for m := range k.Moves {
			if k.Moves[m].Table != t.Name {
				continue
			}
			if k.Moves[m].Key {
				t.Key = k.Moves[m].Sources[0].Name
			}
			for _, source := range k.Moves[m].Sources {
				t.Columns = slices.Insert(t.Columns, at, movingColumn(&k.Moves[m], source))
				at++
			}
		}
	}
	return tables
}

func movingColumn(m *Move, c transform.Column) Column {
	return Column{
		Name: c.Name, Type: typeOf(c.BaseType), Default: c.Default != "", NotNull: c.NotNull,
		Move: m, SQLType: c.Type, Values: m.Values[c.Name],
	}
}

// Targets are the targets of a table, as columns that no star shows.
func (t Table) Targets() (list []Column) {
	seen := map[*Move]bool{}
	for _, c := range t.Columns {
		if c.Move == nil || seen[c.Move] {
			continue
		}
		seen[c.Move] = true
		for i := range c.Move.Targets {
			target := movingColumn(c.Move, c.Move.Targets[i])
			target.Hidden = &c.Move.Targets[i]
			list = append(list, target)
		}
	}
	return list
}

// Setup is the script that makes the original database.
func (k Kind) Setup() string {
	var b strings.Builder
	b.WriteString(prelude)
	for _, t := range k.Tables() {
		var columns, values []string
		for _, c := range t.Columns {
			columns = append(columns, k.declare(t, c))
		}
		for row := range rowsOf {
			var list []string
			for _, c := range t.Columns {
				list = append(list, seed(c, row))
			}
			values = append(values, "("+strings.Join(list, ", ")+")")
		}
		fmt.Fprintf(&b, "create table %s.%s (%s);\ninsert into %[1]s.%[2]s values %[4]s;\n",
			t.Schema, t.Name, strings.Join(columns, ", "), strings.Join(values, ", "))
	}
	return b.String()
}

func (k Kind) declare(t Table, c Column) string {
	if c.Move == nil {
		s := c.Name + " " + c.SQLType
		if c.Default {
			s += " default " + defaults[c.Name]
		}
		switch c.Name {
		case t.Key:
			s += " primary key"
		case "id": // another column is the key
			s += " not null unique"
		case "email":
			s += " unique"
		}
		return s
	}
	i := slices.IndexFunc(c.Move.Sources, func(s transform.Column) bool { return s.Name == c.Name })
	s := declaration(c.Move.Sources[i])
	if c.Move.Key {
		s += " primary key"
	}
	if c.Move.Unique && i == 0 {
		s += " constraint " + quoted(uniqueName(t.Name, c.Name)) + " unique"
	}
	return s
}

// keyName is the name that PostgreSQL gives to a primary key.
func keyName(table string) string { return table + "_pkey" }

func uniqueName(table, column string) string { return table + "_" + column + "_key" }

func seed(c Column, row int) string {
	if c.Move == nil {
		return seeds[c.Name][row]
	}
	if row == 2 && !c.NotNull {
		return "null"
	}
	return c.Values[row]
}
