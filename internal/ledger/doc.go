// Package ledger keeps what Crossfade knows in the application's own
// database: the transitions with their phase and the global epoch, the
// history of every move, and the progress of scans.
//
// The ledger row is the authority on a phase; everything else (flags, caches,
// notifications) only points at it. It lives in the schema crossfade, which is
// versioned by migrations of its own (Migrate). What a connection of an
// application reads is the view join_v1, whose name carries the version of the
// protocol: a later ledger keeps it for the applications that still use it.
//
// State and permission change in one transaction: Move creates the token of
// the next phase (see package fence) in the same transaction that moves the
// row, so a crash or a failover cannot tear them apart.
package ledger
