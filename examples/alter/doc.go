// Alter changes one table in every way that moves no column, while its
// application goes on working: a column more, one filled row by row, and one
// less; NOT NULL, an index, a unique constraint, a check, a foreign key.
//
//	go run ./examples/alter
//
// No hook is needed for that, and the application has none. Each operation is
// done, rolled back, and done again. Read schema.go (the table, and the operations
// as a program states them) and migration.go (how to drive them). traffic.go and
// report.go are the proof: the program exits with status 1 unless errors, lost
// updates and unfinished operations are all 0.
package main
