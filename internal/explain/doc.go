// Package explain shows what becomes of statements while a transition is under
// way: their text in each phase, or why it is refused, and what gets worse in
// their plans when reads move to the target.
//
// Statements come from texts (Parse). An Explainer rewrites them as connections
// would that joined in each of the phases; that needs no database beyond what
// the Explainer was made from. Compare asks a database for plans, and changes
// nothing in it.
package explain
