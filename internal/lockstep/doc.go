// Package lockstep checks the rule that carries Crossfade: a statement through
// the hook, on the expanded table, does what the same statement does without
// the hook on the original table.
//
// A [Kind] is a schema with one or more transitions. A [World] is that schema
// several times over: as it was, and expanded, once for each phase. A [Generator]
// makes random statements as trees of [Node], which each [Side] of the world
// spells in its own way: the original database does not know the targets' names.
// All sides run the same random history, step by step, and after each step
// everything that an application can see is compared ([Difference]). A history
// that ends in a difference is shrunk to the few short statements that still do.
//
// The package does not know the hook: the caller opens the connections. So it
// can also drive a rewriter that is wrong on purpose, which shows that a
// difference would be found.
//
// Statements whose outcome PostgreSQL leaves open (the order of rows without
// ORDER BY, the rows that LIMIT picks, which row gets which nextval) are not
// generated, or compared without what is open.
package lockstep
