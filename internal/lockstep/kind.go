package lockstep

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

// Kind is a kind of transition: the moves that happen to the schema at once.
type Kind struct {
	Name  string
	Moves []Move
}

// Move is one transition, with what the harness has to know to exercise it.
type Move struct {
	// Table is the table; its base columns are in tables.
	Table string
	transform.Move
	// Values are, for each source and target, values for which the move is
	// exact: forward and backward lead to each other. The sources' have one value
	// for each row to begin with.
	Values map[string][]string
	// Wrong gives, for each source and target, an expression over a row for a
	// value that must not be seen while the column is not read.
	Wrong map[string]string
	// Unique: the first source has a UNIQUE constraint, and so has the first
	// target.
	Unique bool
	// Key: the source is the table's primary key, in the place of id.
	Key bool
	// Free: any value of the type will do, not only Values.
	Free bool
}

// Kinds are the kinds of transition that the harness knows.
func Kinds() []Kind {
	var all []Kind
	for _, list := range [][]Kind{renames, changes, rearrangements} {
		all = append(all, list...)
	}
	return all
}

// Counts tells whether the default of a source counts calls: where it is written
// to several rows, which one gets which value is open.
func (m Move) Counts() bool {
	return slices.ContainsFunc(m.Sources, func(c transform.Column) bool { return strings.Contains(c.Default, "nextval") })
}

// Forward is the value of a target, spelled with the sources of a row that is
// known by qualifier, which may be empty.
func (m Move) Forward(c transform.Column, qualifier string) string {
	return m.value(c, m.Sources, func(name string) string { return dotted(qualifier, name) })
}

// Backward is the value of a source, spelled with whatever stands for the
// targets.
func (m Move) Backward(c transform.Column, stands func(name string) string) string {
	return m.value(c, m.Targets, stands)
}

// value replaces the names of the other side in the expression for c. That
// looks for words, which is good enough for the expressions of this package:
// none has a string or a function of that name.
func (m Move) value(c transform.Column, other []transform.Column, stands func(string) string) string {
	value := c.Value
	if value == "" {
		value = other[0].Name
		if quoted(value) != value {
			return stands(value)
		}
	}
	for _, o := range other {
		value = regexp.MustCompile(`\b`+regexp.QuoteMeta(o.Name)+`\b`).ReplaceAllLiteralString(value, mark(o.Name))
	}
	for _, o := range other {
		value = strings.ReplaceAll(value, mark(o.Name), stands(o.Name))
	}
	if c.Value == "" {
		return value
	}
	return "(" + value + ")::" + c.Type
}

// mark keeps a name apart from the text that takes its place.
func mark(name string) string { return "\x00" + name + "\x00" }

func dotted(qualifier, name string) string {
	if qualifier == "" {
		return quoted(name)
	}
	return qualifier + "." + quoted(name)
}

var plain = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// quoted quotes a name where that is needed; none here is a key word.
func quoted(name string) string {
	if plain.MatchString(name) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// declaration is a column as CREATE TABLE has it.
func declaration(c transform.Column) string {
	s := quoted(c.Name) + " " + c.Type
	if c.Default != "" {
		s += " default " + c.Default
	}
	if c.NotNull {
		s += " not null"
	}
	return s
}

// column makes a column of a type that has no length or precision.
func column(name, typ, value string) transform.Column {
	return transform.Column{Name: name, Type: typ, BaseType: typ, Value: value}
}

// limited makes a column of a type with length or precision.
func limited(name, base, modifier, value string) transform.Column {
	return transform.Column{Name: name, Type: fmt.Sprintf("%s(%s)", base, modifier), BaseType: base, Value: value}
}

// defaulting gives a column a default.
func defaulting(c transform.Column, expression string) transform.Column {
	c.Default = expression
	return c
}

// required makes a column NOT NULL.
func required(c transform.Column) transform.Column {
	c.NotNull = true
	return c
}
