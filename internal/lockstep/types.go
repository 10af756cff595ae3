package lockstep

import "fmt"

// Type is a type that expressions can have.
type Type string

// The types of the schema's columns.
const (
	Int    Type = "int"
	Big    Type = "big"
	Str    Type = "str"
	Bool   Type = "bool"
	Num    Type = "num"
	JSONB  Type = "jsonb"
	JSON   Type = "json"
	Strs   Type = "strs"
	Mood   Type = "mood"
	UUID   Type = "uuid"
	Moment Type = "moment"
	Zoned  Type = "zoned"
)

// typeInfo is what a generator needs to know of a type.
type typeInfo struct {
	// sql is its name in a cast.
	sql string
	// values are literals of it. The first one is the simplest.
	values []string
	// unordered: it has no equality, let alone an order.
	unordered bool
}

var types = map[Type]typeInfo{
	Int:    {"integer", []string{"1", "0", "2", "3", "18", "(-5)", "null::integer"}, false},
	Big:    {"bigint", []string{"1::bigint", "2::bigint", "3::bigint", "7::bigint"}, false},
	Str:    {"text", []string{"''", "'Ann'", "'Bob'", "'Ötzi'", "'full_name'", "'it''s $1 -- no'", "null::text"}, false},
	Bool:   {"boolean", []string{"true", "false", "null::boolean"}, false},
	Num:    {"numeric", []string{"1.5", "2.25", "0.0", "100.10"}, false},
	JSONB:  {"jsonb", []string{"'{}'::jsonb", `'{"a": 1}'::jsonb`, `'{"name": "x"}'::jsonb`, "null::jsonb"}, false},
	JSON:   {"json", []string{"'{}'::json", `'{"a": 1}'::json`}, true},
	Strs:   {"text[]", []string{"'{}'::text[]", "array['Ann', 'Bob']", "null::text[]"}, false},
	Mood:   {"public.mood", []string{"'ok'::mood", "'sad'::mood", "'happy'::public.mood"}, false},
	UUID:   {"uuid", []string{"'00000000-0000-4000-8000-000000000001'::uuid", "'22222222-0000-4000-8000-000000000001'::uuid"}, false},
	Moment: {"timestamp without time zone", []string{"timestamp '2020-01-01'", "'2021-06-15 12:30:00'::timestamp"}, false},
	Zoned:  {"timestamp with time zone", []string{"timestamptz '2020-01-01 00:00:00+00'", "'2021-06-15 12:30:00+00'::timestamptz"}, false},
}

// typeOf is the type of a column of a transition.
func typeOf(base string) Type {
	switch base {
	case "integer":
		return Int
	case "bigint":
		return Big
	case "text", "character varying":
		return Str
	case "numeric":
		return Num
	case "jsonb":
		return JSONB
	case "json":
		return JSON
	case "public.mood":
		return Mood
	case "uuid":
		return UUID
	case "timestamp without time zone":
		return Moment
	case "timestamp with time zone":
		return Zoned
	}
	panic(fmt.Sprintf("no type for %s", base))
}
