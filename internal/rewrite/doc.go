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
// A view's text cannot be rewritten: reading one passes while the column that it
// names is right, and carries the token of the phase; writing by way of one is
// refused where it would leave a column out. Partitions and children stand for
// themselves in the catalog. SQL in strings and the bodies of functions cannot be
// rewritten either: a Policy says what becomes of them.
//
// Limits: string constants are read as standard_conforming_strings = on has it.
// What triggers do with the table is not seen here, nor what a function does that
// an operator, a cast, a default or another function calls.
package rewrite
