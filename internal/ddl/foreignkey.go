package ddl

import (
	"strings"
)

// ForeignKey is a foreign key as SQL spells it.
type ForeignKey struct {
	// Table has it, and To is the table that it references.
	Table, To Name
	// Columns reference the columns References, in their order.
	Columns, References []string
	// Options are MATCH, the actions and what is deferred, as SQL text.
	Options string
}

// AddForeignKey adds a foreign key for new rows, without a scan.
func AddForeignKey(k ForeignKey, constraint string) Statement {
	sql := "alter table " + k.Table.String() + " add constraint " + ident(constraint) + " foreign key (" + idents(k.Columns) +
		") references " + k.To.String() + " (" + idents(k.References) + ")"
	if k.Options != "" {
		sql += " " + k.Options
	}
	return Statement{
		SQL: sql + " not valid", Lock: ShareRowExclusive, On: k.Table.String(), Also: k.To.String(), StatementTimeout: quickTimeout,
		Why:    "both columns are referenced, or reference, until one of them goes",
		Hazard: "takes the same lock on " + k.To.String() + "; stops writes of both tables for milliseconds, and for up to lock_timeout while it waits",
	}
}

// ValidateForeignKey proves a foreign key for the rows that exist.
func ValidateForeignKey(k ForeignKey, constraint string) Statement {
	s := ValidateConstraint(k.Table, constraint)
	s.Hazard = "reads both whole tables, with a ROW SHARE lock on " + k.To.String() + "; reads and writes go on"
	return s
}

// DropForeignKey drops a foreign key if it exists.
func DropForeignKey(k ForeignKey, constraint string) Statement {
	s := DropConstraint(k.Table, constraint)
	s.Also = k.To.String()
	s.Why = "the other column is referenced, or references, in its place"
	s.Hazard = "takes the same lock on " + k.To.String() +
		"; stops every statement on both tables for milliseconds, and for up to lock_timeout while it waits"
	return s
}

// RenameConstraint gives a constraint another name.
func RenameConstraint(table Name, from, to string) Statement {
	return quick(table, "alter table "+table.String()+" rename constraint "+ident(from)+" to "+ident(to),
		"the constraint takes the name of the one it replaces")
}

func idents(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = ident(name)
	}
	return strings.Join(quoted, ", ")
}
