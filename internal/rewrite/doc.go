// Package rewrite makes a statement that was written for one logical column
// run on a table where that column is in transition between two homes.
//
// It is a pure function of a text, a Catalog and the phases in it: it opens no
// connection and keeps no state that a caller can see. A Rewriter is made once
// per catalog and shared by every connection that joined under it.
//
// The rule is in one sentence: the rewritten statement on the expanded table
// gives what the original gives on the original table, and where a phase
// writes both columns, both are right afterwards. What cannot be shown to
// follow that rule is refused; it is never passed through.
//
// Edits are made at byte offsets of the original text, so that comments,
// formatting and parameters stay as they were.
//
// How a text goes through: a pre-scan passes what cannot mention a table in
// transition; a scanner splits the rest into tokens and passes what does not;
// guards keep from the parser what would exhaust it; a walker follows the parse
// tree with PostgreSQL's rules for names and collects edits; the edited text is
// parsed again before it goes out.
//
// Where a move preserves comparisons, they are made ones of the target, so that
// they find an index on it: see compare.go, order.go and group.go.
//
// Limits: string constants are read as standard_conforming_strings = on has it.
// What views,
// functions and triggers do with the table is not seen here, nor a statement
// that reaches the table's rows by the name of a partition or parent.
package rewrite
