package logical

import (
	"time"

	"github.com/jackc/pglogrepl"
)

// LSN is a position in the write-ahead log.
type LSN = pglogrepl.LSN

// Kind is what a change did.
type Kind string

// The kinds of changes.
const (
	Insert   Kind = "insert"
	Update   Kind = "update"
	Delete   Kind = "delete"
	Truncate Kind = "truncate" // of one table; a TRUNCATE of several gives several
	Message  Kind = "message"  // of pg_logical_emit_message(true, ...), PostgreSQL 14 on
)

// Batch is what Apply is given: changes in commit order, those of a transaction
// in the order in which it made them. It holds whole transactions, or a part of
// one that has more changes than Config.BatchSize.
type Batch struct {
	Changes []Change
	// Continues: the first transaction began in an earlier batch. After a
	// restart it is delivered again from its beginning.
	Continues bool
	// Partial: the last transaction goes on in the next batch.
	Partial bool
	// End is the position after the last transaction, stored with this batch;
	// zero when the batch is Partial.
	End LSN
}

// Change is one row that changed, or a truncated table, or a message.
type Change struct {
	Kind Kind
	// Transaction made the change. Changes of one transaction share it.
	Transaction *Transaction
	// Relation is the table; nil for a message.
	Relation *Relation
	// Key has the values of Relation.Key in PostgreSQL's text format: after an
	// Insert or Update, before a Delete. Nil for the other kinds.
	Key []string
	// Old is the key that an Update has changed, before; else nil.
	Old []string
	// Prefix and Content are those of a message.
	Prefix  string
	Content []byte
}

// Transaction is one that has committed.
type Transaction struct {
	// XID is its id, without the epoch.
	XID uint32
	// Commit is the position of its commit record.
	Commit LSN
	// Time is when it committed, by the server's clock.
	Time time.Time
	// Origin is the replication origin that it came from, if it came from one.
	Origin string
}

// Relation is a table as a change saw it. After a change of the table there is
// another Relation.
type Relation struct {
	// ID is the table's OID.
	ID           uint32
	Schema, Name string
	// Key names the columns that identify a row: those of the replica
	// identity; the primary key's under REPLICA IDENTITY FULL.
	Key []string

	positions []int // of the key's columns in a tuple
}

// Table returns the relation's name.
func (r *Relation) Table() Table { return Table{Schema: r.Schema, Name: r.Name} }

// Keys returns the keys of a table's rows that the batch has changed, old keys
// included, each once, by columns: what "unnest" and "= any" take. It does not
// tell which of the rows still exist.
func (b Batch) Keys(table Table) [][]string {
	table = table.withDefaults()
	var columns [][]string
	seen := map[string]bool{}
	add := func(key []string) {
		id := keyID(key)
		if key == nil || seen[id] {
			return
		}
		seen[id] = true
		if columns == nil {
			columns = make([][]string, len(key))
		}
		for i, value := range key {
			columns[i] = append(columns[i], value)
		}
	}
	for _, c := range b.Changes {
		if c.Relation == nil || c.Relation.Table() != table {
			continue
		}
		add(c.Old)
		add(c.Key)
	}
	return columns
}

// keyID joins a key's values so that different keys stay different.
func keyID(key []string) string {
	var id []byte
	for _, value := range key {
		for len(value) > 0 {
			n := min(len(value), 254)
			id = append(append(id, byte(n)), value[:n]...)
			value = value[n:]
		}
		id = append(id, 255)
	}
	return string(id)
}

// size is about how much memory the change takes up.
func (c *Change) size() int {
	n := 160 + len(c.Prefix) + len(c.Content)
	for _, value := range c.Key {
		n += 16 + len(value)
	}
	for _, value := range c.Old {
		n += 16 + len(value)
	}
	return n
}
