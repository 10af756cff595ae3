// Package dependents knows what hangs on a column: views, CHECK constraints,
// policies, triggers and so on. It lists them as PostgreSQL prints them, and plans
// how each comes to hang on the targets of a move.
//
// Each kind is one file with the same two halves: list reads what there is of the
// kind, and plan says which statements carry one of them over and back, or why
// nothing can (a *Refusal). The statements are kept in the ledger, so that what a
// plan shows is what runs. Indexes, foreign keys, defaults and NOT NULL are not
// the business of this package; of them it only tells that they are there.
package dependents
