// Kinds takes one table of a shop through the kinds of transition other than a
// rename, all at the same time, while the shop goes on working:
//
//	change  cents (int)        -> amount (bigint)
//	split   full_name          -> first_name, last_name
//	merge   area_code, number  -> phone
//	change  note (varchar(40)) -> remark (text), in the end called note again
//
//	go run ./examples/kinds
//
// Half of the workers are written against the columns on the left, half against
// those on the right; both work at any moment, on the same rows. Whatever one
// has written, under its names, the next one reads, under its own, and compares.
//
// Read schema.go (the table, and the transitions as a program states them),
// names.go (the application's SQL, twice), and migration.go (how to drive several
// transitions). traffic.go and audit.go are the proof: the program exits with
// status 1 unless errors, wrong reads, lost updates, divergent and unexplained
// rows are all 0. How to embed the hook in more than one process, and
// database/sql, shows examples/rename.
package main
