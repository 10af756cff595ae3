// Package sweep walks a whole table in the order of its key, in small
// transactions: Copy fills one side of a move from the other, Compare looks at
// every row and counts those that are not consistent. What consistent means is
// ddl.Consistent's to say.
//
// The range is fixed at the start: from the first row to the greatest key of
// that moment. Rows that are inserted later are written by statements that
// keep both columns, so there is nothing to chase. Each batch writes its rows
// and its position in one transaction, so a sweep that was killed at any
// instruction goes on where it stood: call it again, on another connection.
//
// Any number of workers may walk, in this process (Options.Helpers) and in others
// (Options.Join). The ledger has the chunks that are left, and a worker may work
// at the one whose row it has locked, for one batch; so it may die at any
// instruction too.
//
// A batch reads and writes the current version of a row in one statement. When
// it has to wait for a writer, PostgreSQL evaluates the statement again on the
// version that the writer left, so the writer's value wins. A batch waits for
// locks and runs for less than deadlock_timeout: in a deadlock with the
// application it is the sweep that gives up, makes the batch smaller and tries
// again. A single row that stays locked is put aside and tried again at the end:
// the sweep is not finished before every row is done.
//
// Between two batches, where it holds no lock and no transaction is open, it
// looks about once a second at what may hold it back (Signal) and at what
// somebody has asked for (ledger.Control): to pause, or to go slower.
//
// A partitioned table is walked leaf by leaf, each up to the greatest key that it
// has when its turn comes.
//
// The limit of it: a row whose key an application changes, from ahead of the
// position to behind it, is not met. A later sweep meets it.
//
// Triggers of the table fire for copied rows. synchronous_commit and the
// like are as the connection has them.
package sweep
