// Package preflight reads everything that hangs on columns before they move:
// what they are and what they become (the ledger's Definition), what depends on
// them, who is at work in the database, and what the move will cost and lose.
//
// Everything is read in one snapshot by Check. A Finding says what was seen
// and what to do about it; one that refuses keeps the transition from
// starting, unless its code may be accepted (Acceptable) and the Request
// accepts it. Each kind of finding has a file, whose check is a row of the
// table in check.go. Nothing is changed: the expressions of a move are tried on
// temporary tables that are rolled back, and on a sample of the rows.
package preflight
