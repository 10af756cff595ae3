// Package logical follows tables by way of PostgreSQL's logical decoding and
// hands each batch of changed keys to a function, at least once, in commit
// order.
//
//	tailer, err := logical.New(logical.Config{Conn: config, Slot: "search_index",
//		Tables: []logical.Table{{Name: "item"}}, Apply: apply})
//	err = tailer.Setup(ctx) // before the first copy of the tables
//	err = tailer.Run(ctx)
//
// Four nouns are enough to follow the code:
//
//   - A slot makes the server keep its log until it is acknowledged, and a
//     publication says which tables are decoded. Setup makes both.
//   - A batch is some transactions, or a part of a large one. It carries keys
//     and no other values: the log leaves out unchanged large values, and what
//     counts is the row as it is now. Apply runs when a new snapshot sees
//     everything that is in the batch.
//   - The position is stored in the transaction in which Apply works, in the
//     same database, and acknowledged after that. So what Apply writes there is
//     written once, though a transaction of several parts, and anything that
//     Apply does elsewhere, may be done again after a crash.
//   - Of several processes that Run the same slot one is active; the others
//     stand by.
//
// A slot that is lost is never replaced in silence: Run ends with a SlotLost, and
// the caller verifies every row after a new Setup. So it is after a failover,
// unless Config.Failover is set and the slot has survived.
//
// Barrier waits until everything that has committed is applied.
//
// Limits: PostgreSQL 13 to 18, the primary only, no pooler. Sequences and changes of
// tables' definitions are not followed. From PostgreSQL 15 on the publication
// lists the columns of the key, and the server then refuses to drop them and to
// change their type while it exists.
package logical
