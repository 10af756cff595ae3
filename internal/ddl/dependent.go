package ddl

import "strings"

// The statements of this file can be repeated: none fails for what it has done
// before.

// ReplaceCheck adds a CHECK for new rows, in the place of what bears its name.
// rule is the whole of its text: CHECK (...).
func ReplaceCheck(table Name, constraint, rule string) Statement {
	s := quick(table, "alter table "+table.String()+" drop constraint if exists "+ident(constraint)+
		", add constraint "+ident(constraint)+" "+rule+" not valid", "the CHECK moves with the column")
	s.Hazard = "a write that breaks the CHECK fails from now on; " + s.Hazard
	return s
}

// CommentOn sets the comment of something on a table: "constraint", "trigger".
func CommentOn(table Name, what, name, comment string) Statement {
	return gentle(table, "comment on "+what+" "+ident(name)+" on "+table.String()+" is "+literal(comment),
		"the comment moves along")
}

// CreateStatistics makes an extended statistics object. on are its columns and
// expressions, kinds what it gathers.
func CreateStatistics(table, statistics Name, kinds, on []string) Statement {
	sql := "create statistics if not exists " + statistics.String()
	if len(kinds) > 0 {
		sql += " (" + strings.Join(kinds, ", ") + ")"
	}
	return gentle(table, sql+" on "+strings.Join(on, ", ")+" from "+table.String(),
		"the planner keeps what it knows of the columns together")
}

// SetStatisticsTarget sets the target of an extended statistics object.
func SetStatisticsTarget(table, statistics Name, target string) Statement {
	return gentle(table, "alter statistics if exists "+statistics.String()+" set statistics "+target, "its target moves along")
}

// DropStatistics drops an extended statistics object.
func DropStatistics(table, statistics Name) Statement {
	return gentle(table, "drop statistics if exists "+statistics.String(), "it was about the target")
}

// RenameStatistics renames an extended statistics object.
func RenameStatistics(table, statistics Name, to string) Statement {
	return gentle(table, "alter statistics "+statistics.String()+" rename to "+ident(to),
		"it takes the name of the one whose place it has")
}

// ReplaceView gives a view another query with the same columns. Its grants, its
// comment and what depends on it stay. options are those it has.
func ReplaceView(view Name, options []string, query string) Statement {
	sql := "create or replace view " + view.String()
	if len(options) > 0 {
		sql += " with (" + strings.Join(options, ", ") + ")"
	}
	s := quick(view, sql+" as "+query, "the view reads the columns that are kept")
	s.Hazard = "stops every statement on the view for milliseconds, and for up to lock_timeout while it waits"
	return s
}

// AlterPolicy gives a policy other conditions.
func AlterPolicy(table Name, policy, conditions string) Statement {
	s := quick(table, "alter policy "+ident(policy)+" on "+table.String()+" "+conditions, "the policy reads the columns that are kept")
	s.Only = true
	return s
}

// ReplaceTrigger makes a trigger anew, in one transaction. further are the
// statements that set what CREATE TRIGGER does not.
func ReplaceTrigger(table Name, trigger, create string, further ...string) Statement {
	drop := "drop trigger if exists " + ident(trigger) + " on " + table.String()
	return quick(table, strings.Join(append([]string{drop, create}, further...), "; "),
		"the trigger fires for the columns that are written")
}

// EnableTrigger is the statement that makes a trigger fire as pg_trigger.tgenabled
// says, for ReplaceTrigger; empty for what CREATE TRIGGER does anyway.
func EnableTrigger(table Name, trigger, enabled string) string {
	how, special := map[string]string{"D": "disable", "R": "enable replica", "A": "enable always"}[enabled]
	if !special {
		return ""
	}
	return "alter table " + table.String() + " " + how + " trigger " + ident(trigger)
}

// ReplicaIdentity makes an index the replica identity of its table.
func ReplicaIdentity(table Name, index string) Statement {
	s := quick(table, "alter table "+table.String()+" replica identity using index "+ident(index),
		"the replica identity moves with the column")
	s.Hazard = "subscribers need the same columns as their replica identity; " + s.Hazard
	return s
}

// SetColumnOptions sets attributes of a column such as n_distinct.
func SetColumnOptions(table Name, column string, options []string) Statement {
	s := alterColumn(table, column, "set ("+strings.Join(options, ", ")+")", "the options move with the column")
	s.Lock, s.Hazard = ShareUpdateExclusive, ""
	return s
}

// SetCompression sets how a column's values are compressed: pglz or lz4.
func SetCompression(table Name, column, method string) Statement {
	return alterColumn(table, column, "set compression "+method, "the compression moves with the column")
}

// GrantColumn grants a privilege on one column to a role, or to public ("").
func GrantColumn(table Name, column, privilege, role string, grantable bool) Statement {
	to := "public"
	if role != "" {
		to = ident(role)
	}
	sql := "grant " + privilege + " (" + ident(column) + ") on " + table.String() + " to " + to
	if grantable {
		sql += " with grant option"
	}
	return gentle(table, sql, "who may use the source may use the target")
}

// IsQuick tells whether a statement only changes the catalog, so that Runner
// bounds its duration.
func (s Statement) IsQuick() bool { return s.StatementTimeout == quickTimeout }

// Bounded gives a statement that bound.
func (s Statement) Bounded() Statement {
	s.StatementTimeout = quickTimeout
	return s
}

// CommentOnStatistics sets the comment of an extended statistics object.
func CommentOnStatistics(table, statistics Name, comment string) Statement {
	return gentle(table, "comment on statistics "+statistics.String()+" is "+literal(comment), "the comment moves along")
}

// CommentOnTrigger is the statement that comments on a trigger, for ReplaceTrigger.
func CommentOnTrigger(table Name, trigger, comment string) string {
	return CommentOn(table, "trigger", trigger, comment).SQL
}
