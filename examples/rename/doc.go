// Rename moves the column users.full_name to users.name while three processes
// read and write it all the time, and then audits every row.
//
//	go run ./examples/rename
//
// It finds or starts a PostgreSQL, fills two tables, starts the processes and
// drives the migration through every phase, up to the drop of full_name. Two
// of the processes are written against full_name, before, during and after;
// the third is a new version of the program that knows only name.
//
// To copy from it, read app.go (how an application embeds the hook), retry.go
// (the one thing an application may want to add), and migration.go (how a
// program drives the migrator; the command crossfade does the same from a
// shell).
//
// The rest proves that it works. Each process keeps a journal of what it has
// written and checks all that it reads against it (journal.go, workload_*.go);
// at the end the table is compared with the journals (audit.go). The program
// exits with status 1 unless errors, lost updates, wrong reads and divergent
// rows are all 0. With -unsafe-no-tokens they are not (unsafe.go).
package main
