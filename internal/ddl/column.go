package ddl

import (
	"fmt"
	"strconv"
	"strings"
)

// AddColumn adds a nullable column without a default. typeName and collation
// are SQL text, as the catalog gives them; an empty collation is the type's.
func AddColumn(table Name, column, typeName, collation string) Statement {
	sql := "alter table " + table.String() + " add column " + ident(column) + " " + typeName
	if collation != "" {
		sql += " collate " + collation
	}
	return quick(table, sql, "the target column")
}

// Made notes in the ledger, in the transaction of a statement, that a transition
// has added that column: whoever comes after a crash, or undoes the step, knows it
// from one of the same name that somebody else has added.
func (s Statement) Made(transition int64, column string) Statement {
	s.Then = fmt.Sprintf("update crossfade.transition set made = array_append(made, %s) where id = %d", literal(column), transition)
	return s
}

// Unmade takes back what Made has noted.
func (s Statement) Unmade(transition int64, column string) Statement {
	s.Then = fmt.Sprintf("update crossfade.transition set made = array_remove(made, %s) where id = %d", literal(column), transition)
	return s
}

// DropColumn drops a column, with its own indexes and constraints, but nothing
// else that depends on it.
func DropColumn(table Name, column string) Statement {
	s := quick(table, "alter table "+table.String()+" drop column "+ident(column), "the source is not needed any more")
	s.Hazard = "cannot be undone: the column's values are gone; " + s.Hazard
	return s
}

// RenameColumn renames a column: the undoable half of dropping it.
func RenameColumn(table Name, from, to string) Statement {
	return quick(table, "alter table "+table.String()+" rename column "+ident(from)+" to "+ident(to),
		"statements that still name the column fail, and it can be renamed back")
}

// GiveName renames a target to the name that its source had.
func GiveName(table Name, target, name string) Statement {
	s := RenameColumn(table, target, name)
	s.Why = "the target takes the name of the source, which is gone"
	return s
}

// MakeWay waits until nothing keeps DDL from the table that gives way to it, as an
// autovacuum does after deadlock_timeout. Reads and writes pass by.
func MakeWay(table Name) Statement {
	s := gentle(table, "lock table "+table.String()+" in share update exclusive mode", "an autovacuum of the table makes way")
	s.LockTimeout = vacuumTimeout
	return s
}

// SetDefault sets a column's default. expression is SQL text with every name
// qualified.
func SetDefault(table Name, column, expression string) Statement {
	return alterColumn(table, column, "set default "+expression, "rows inserted without the column get its default")
}

// DropDefault drops a column's default.
func DropDefault(table Name, column string) Statement {
	return alterColumn(table, column, "drop default", "only the other column gives defaults from now on")
}

// SetNotNull makes a column NOT NULL. Without a validated CHECK that says so
// (AddNotNullCheck, ValidateConstraint) it would scan the table under its lock.
func SetNotNull(table Name, column string) Statement {
	s := alterColumn(table, column, "set not null", "the column carries the NOT NULL of the other one")
	s.Hazard = "scans the table under its lock unless a validated CHECK proves it; " + s.Hazard
	return s
}

// DropNotNull lets a column be NULL.
func DropNotNull(table Name, column string) Statement {
	return alterColumn(table, column, "drop not null", "writes may leave the column out from now on")
}

// SetStatistics sets a column's statistics target.
func SetStatistics(table Name, column string, target int) Statement {
	s := alterColumn(table, column, "set statistics "+strconv.Itoa(target), "the statistics target moves with the column")
	s.Lock, s.Hazard = ShareUpdateExclusive, ""
	return s
}

// SetStorage sets how a column's large values are stored: plain, external,
// extended or main.
func SetStorage(table Name, column, storage string) Statement {
	return alterColumn(table, column, "set storage "+storage, "the storage mode moves with the column")
}

// CommentOnColumn sets a column's comment.
func CommentOnColumn(table Name, column, comment string) Statement {
	return gentle(table, fmt.Sprintf("comment on column %s.%s is %s", table, ident(column), literal(comment)),
		"the comment moves with the column")
}

func alterColumn(table Name, column, action, why string) Statement {
	return quick(table, "alter table "+table.String()+" alter column "+ident(column)+" "+action, why)
}

// Columns is a list of columns as SQL text.
func Columns(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = ident(name)
	}
	return strings.Join(list, ", ")
}
