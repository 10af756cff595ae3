// Package dualwrite is what an application embeds: a hook in its pgx
// connections that makes SQL written for one column right while that column
// moves to another place.
//
//	hook, err := dualwrite.New(dualwrite.Config{})
//	pool, err := hook.NewPool(ctx, poolConfig) // a plain *pgxpool.Pool
//	go hook.Run(ctx)
//
// The application goes on with its *pgxpool.Pool or *sql.DB, and with every
// library on top of them. It declares nothing about single migrations.
//
// Four nouns are enough to follow the code:
//
//   - A connection joins when it opens: it learns the epoch and the phase of
//     each transition from the ledger in the database, and keeps them until it
//     closes. So statement caches never go stale and a transaction never
//     changes its phase.
//   - A writer rewrites the SQL in what the connection sends, by that phase. A
//     statement that touches a moving column and cannot be rewritten is
//     refused; it is never sent as it is.
//   - A reader restores the errors that come back: they speak of the
//     application's own text, and say when a phase has ended (IsStalePhase) or
//     a statement was refused (AsRefusal).
//   - When the ledger's epoch has moved on, connections of an older one are
//     recycled: not handed out again, and closed when idle. Run hears of it at
//     once; without Run it is noticed when a connection joins or fails.
//
// Limits: COPY into a table in transition is refused where it would fill one of
// the two columns only, as its data cannot be changed on the way. pgx's exec mode
// (QueryExecModeExec) and pgconn.Batch write past the writer: the mode is
// refused at Install, and a connection that does it nevertheless is ended. A
// pooler is refused when a connection joins. On a standby statements go by what
// has been replayed there.
// What ConnConfig.ValidateConnect sends goes out as it is: the connection has
// not joined yet. SQL inside of strings, and the bodies of functions in the
// database, are not rewritten: Config.OpaqueText and OpaqueCalls say what becomes
// of statements that use them.
//
// search_path is followed: after SET, SET LOCAL, set_config, SET ROLE, and at the
// end of a transaction in which there was one, the next statement that rests on
// it waits until the hook has asked the server (one round trip); a prepared
// statement that has become another one is prepared anew (one more). What is sent
// behind that statement is kept in memory until then; COPY data waits. Refused
// are a text of several statements that moves search_path before it names a
// table, and a prepared statement whose result has other columns now. A function
// in the database that changes search_path (and does not set it back) is not seen
// before PostgreSQL 18, which reports it: let the application send the SET or
// set_config itself, qualify the names of tables, or set the path when
// connecting.
//
// Changes of standard_conforming_strings, client_encoding and, by such a
// function, search_path count from the end of the query or pipeline that made
// them.
package dualwrite
