// Goose is how an application that has its migrations with goose takes a column
// through a transition beside them. tern and golang-migrate fit in the same way.
//
//	go run ./examples/goose -database-url postgres://...   # in this directory: go run .
//
// Three rules are all that there is to it, and deploy.go keeps them:
//
//   - goose works on a connection without the hook, and closes it when it is done:
//     its DDL is meant as it stands, and a drain waits for sessions without the hook.
//   - A migration of goose does not touch a column that is in transition. Anything
//     else of the table it may change, in every phase.
//   - Before a rollout: goose up, then crossfade run; the rollout waits for
//     crossfade check. Contract when the old version is gone.
//
// A module of its own, so that Crossfade's does not depend on goose.
package main
