// Package pgtest gives each test a fresh PostgreSQL database.
//
// A package of tests has
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
// and its tests call [New], or [NewFrom] for a database that a setup script has
// filled. The first call starts one server for the test binary, found or
// started as package postgres describes; with $CROSSFADE_DATABASE_URL the
// databases are created on that server instead. Databases are clones of a
// template, which takes tens of milliseconds, and are dropped when their test
// ends. All functions are safe in parallel tests. The tests share the server's
// transaction ids, though: making a logical replication slot waits for the open
// transactions of all of them, so let none stay open for long, or use [Server].
//
// Without PostgreSQL the tests are skipped; CROSSFADE_REQUIRE_POSTGRES=1 makes
// them fail instead.
package pgtest
