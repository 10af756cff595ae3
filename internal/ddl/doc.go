// Package ddl builds every DDL statement of a transition and runs it so that an
// application never queues up behind it.
//
// A Statement is data: its text, the lock it takes, its timeouts and what can
// go wrong. Each kind of statement has one function, and nothing else formats
// DDL. A Runner executes statements with a short lock_timeout, again and again
// until it gets the lock or gives up, naming the sessions in the way.
//
// A program may crash between any two statements. So what a statement does can
// be read back (ReadColumn, ReadConstraint, ReadIndex): ask first, then run
// what is missing. Nothing here ever says CASCADE.
package ddl
