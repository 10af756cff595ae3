// Package queryplan compares how PostgreSQL would execute a statement that
// reads the source of a move with how it would execute the same statement
// reading the target: an index that served the one may not serve the other.
//
// Compare plans both texts and looks at each access to the table that moves. A
// Finding is something that got worse. Plans are made twice: as the planner
// likes it best, which depends on how full the tables are, and with sequential
// scans discouraged, which shows on an empty table too whether an index can be
// used at all.
//
// Only EXPLAIN is run, without ANALYZE, in read-only transactions. Plans are
// generic: parameters have no values, as in a prepared statement that has been
// executed often.
package queryplan
