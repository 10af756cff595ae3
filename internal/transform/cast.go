package transform

import (
	"regexp"
	"strconv"
)

// Cast is the SQL that makes a value of the column out of an expression, as
// storing it in the column would: what is too long is an error, where an
// ordinary cast would cut it.
func (c Column) Cast(expr string) string {
	text := "(" + expr + ")::" + c.Type
	if m := limited.FindStringSubmatch(c.Type); m != nil {
		if length, err := strconv.Atoi(m[2]); err == nil {
			kind := lengths[m[1]]
			text = "pg_catalog." + kind.name + "((" + expr + ")::pg_catalog." + kind.name + ", " +
				strconv.Itoa(length+kind.header) + ", false)::" + c.Type
		}
	}
	if c.Collation != "" {
		text = "(" + text + ") COLLATE " + c.Collation
	}
	return text
}

var limited = regexp.MustCompile(`^(character varying|character|bit varying|bit)\((\d+)\)$`)

// lengths are the types that have a length, with the function that holds a value
// to it, and how much its argument is greater than the length.
var lengths = map[string]struct {
	name   string
	header int
}{
	"character varying": {`"varchar"`, 4},
	"character":         {"bpchar", 4},
	"bit varying":       {"varbit", 0},
	"bit":               {`"bit"`, 0},
}
