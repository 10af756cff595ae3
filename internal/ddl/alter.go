package ddl

import "github.com/pgcrossfade/crossfade/internal/transform"

// AddColumnWhole adds a column with its DEFAULT and its NOT NULL. late: the
// DEFAULT is set behind the column, in the same statement, so that it holds for
// new rows only and nothing is rewritten for the others. A DEFAULT that is not
// late must not be volatile: PostgreSQL would rewrite the table.
func AddColumnWhole(table Name, c transform.Column, notNull, late bool) Statement {
	s := AddColumn(table, c.Name, c.Type, c.Collation)
	s.Why = "the new column"
	switch {
	case c.Default == "":
	case late:
		s.SQL += ", alter column " + ident(c.Name) + " set default " + c.Default
		s.Why += "; rows inserted from now on have a value"
	default:
		s.SQL += " default " + c.Default
		s.Why += "; every row has its value at once, nothing is rewritten"
	}
	if notNull {
		s.SQL += " not null"
	}
	return s
}

// AddCheck adds a CHECK constraint for new rows, without a scan. body is its
// text as pg_get_constraintdef gives it.
func AddCheck(table Name, constraint, body string) Statement {
	s := quick(table, "alter table "+table.String()+" add constraint "+ident(constraint)+" "+body+" not valid",
		"no new row may break the rule")
	s.Hazard = "a write that breaks the rule, or changes a row that does, fails from now on; " + s.Hazard
	return s
}

// AddUniqueConstraint is AddUniqueUsingIndex with what else the constraint is:
// deferrable, initially deferred.
func AddUniqueConstraint(table Name, constraint, index, timing string) Statement {
	s := AddUniqueUsingIndex(table, constraint, index)
	s.Why = "the index becomes the constraint's"
	if timing != "" {
		s.SQL += " " + timing
	}
	return s
}
