package lockstep

import "github.com/pgcrossfade/crossfade/internal/transform"

var (
	fullNames  = []string{"'Ann Lee'", "'Bob Ray'", "'Cyd Oz'", "'Ötzi Eis'", "'dan lee'", "'Eve Ray'"}
	firstNames = []string{"'Ann'", "'Bob'", "'Cyd'", "'Ötzi'", "'dan'", "'Eve'"}
	lastNames  = []string{"'Lee'", "'Ray'", "'Oz'", "'Eis'", "'lee'", "'Ray'"}
)

const (
	firstOf = "split_part(full_name, ' '::text, 1)"
	lastOf  = "split_part(full_name, ' '::text, 2)"
	whole   = "((first_name || ' '::text) || last_name)"
)

var nameValues = map[string][]string{"full_name": fullNames, "first_name": firstNames, "last_name": lastNames}

var nameWrong = map[string]string{"full_name": wrongText, "first_name": wrongText, "last_name": wrongText}

// splitName is full_name that becomes first_name and last_name.
var splitName = Move{
	Table: "users",
	Move: transform.Move{
		Kind:    transform.Split,
		Sources: []transform.Column{defaulting(column("full_name", "text", whole), "'no body'::text")},
		Targets: []transform.Column{column("first_name", "text", firstOf), column("last_name", "text", lastOf)},
		Lossy:   []transform.Direction{transform.Forward, transform.Backward},
	},
	Values: nameValues, Wrong: nameWrong,
}

// mergeName is first_name and last_name that become full_name.
var mergeName = Move{
	Table: "users",
	Move: transform.Move{
		Kind: transform.Merge,
		Sources: []transform.Column{
			// Without NOT NULL, a null in one of them would lose the other.
			required(defaulting(column("first_name", "text", firstOf), "'no'::text")),
			required(defaulting(column("last_name", "text", lastOf), "'body'::text")),
		},
		Targets: []transform.Column{required(column("full_name", "text", whole))},
		Lossy:   []transform.Direction{transform.Forward, transform.Backward},
	},
	Values: nameValues, Wrong: nameWrong,
}

// widened is a number of orders that becomes a longer one.
var widened = on("orders", change(transform.PreserveComparison,
	defaulting(column("total", "integer", "(amount)::integer"), "5"), column("amount", "bigint", "(total)::bigint"),
	numbers, numbers, "id + 1000", "id + 1000"))

var rearrangements = []Kind{
	{"split", []Move{splitName}},
	{"merge", []Move{mergeName}},
	{"split and change in two tables", []Move{splitName, widened}},
	{"split and rename in one table", []Move{
		splitName, renamed(column("nick", "text", ""), "handle", names, wrongText),
	}},
}
