// Package migrator moves a transition - columns on their way to a new home -
// through its phases, one resumable step at a time, while the application
// keeps running.
//
// A Transition is what a user asks for: a file of a few lines. Start checks it
// (preflight) and registers it in the ledger, a schema of the application's own
// database. From there a fixed list of steps leads to the phase complete; each
// one can be repeated, resumed after a crash at any instruction, and undone.
// Some steps change the table (expand, backfill, index ...), the others are
// flips: they move the phase to a neighbour and wait until nobody acts by the
// old one any more (the drain). Contract, an act of its own, drops the source
// columns; it is the point of no return.
//
// All work happens on one connection, which is also the one that holds the
// lock of the only migrator: when the connection is lost, the lock and the
// statement end together. The ledger alone says where a transition stands, so
// any program with this package may continue what another one began.
//
// Applications embed package dualwrite, not this one.
package migrator
