// Package shadow runs a read twice in one snapshot, once in the form that reads
// the source of a transition and once in the form that reads its target, and
// compares what comes of them.
//
// Judge asks the catalog whether a read may be run a second time and can be
// compared at all; what is not known for certain is not run. Compare runs one. Both
// use a connection of their own, in a transaction that can write nothing.
package shadow
