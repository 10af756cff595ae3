// Package preflight reads everything that hangs on a column before it moves:
// what the column is (the ledger's Definition), what depends on it, who is at
// work in the database, and what the move will cost.
//
// Everything is read in one snapshot by Check. A Finding says what was seen
// and what to do about it; one that refuses keeps the transition from
// starting, unless its code may be accepted (Acceptable) and the Request
// accepts it. Each kind of finding has a file, whose check is a row of the
// table in check.go. Nothing is changed.
package preflight
