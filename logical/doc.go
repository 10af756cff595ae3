// Package logical follows tables by way of PostgreSQL's logical replication and
// hands each batch of changed keys to a function, at least once, in commit
// order.
package logical
