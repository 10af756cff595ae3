// Package scratch runs a throw-away PostgreSQL with somebody's schema in it, and
// does there at once what a transition does to the real table over time: so
// plans can be looked at before anything has begun.
//
// A Database is a server of its own, found or downloaded as package postgres
// does, and is gone with Close. Load runs the statements of a schema, leaving out
// what has no meaning there; Expand adds the targets and the counterparts of the
// indexes. Tables are empty.
package scratch
