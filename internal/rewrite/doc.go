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
package rewrite
