// Package compat tests Crossfade under the libraries that Go teams put on top
// of pgx, and under what stands between pgx and PostgreSQL. It is a module of
// its own, so that nobody who imports Crossfade downloads them.
//
// A subject is one line of docs/compatibility.md and one test: it says what
// works and how. Most subjects are shops: the same small application, once for
// each library, written as one would write it with that library. TestCompatibility
// runs every shop while columns move below it, forward, back and forward again.
// A new library is one file with a shop, and its line in subjects.
//
//	go test -run TestCompatibility . -update
//
// writes docs/compatibility.md from the results; without -update the test fails
// when they differ.
package compat

//go:generate env CGO_ENABLED=0 go run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1 generate
