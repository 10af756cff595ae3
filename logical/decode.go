package logical

import (
	"bytes"
	"fmt"
	"time"

	"github.com/jackc/pglogrepl"
)

// decoder turns the messages of pgoutput into changes. The server sends a
// transaction when it has committed, so aborted ones, and what a subtransaction
// has rolled back, never arrive.
type decoder struct {
	queue     *queue
	relations map[uint32]*Relation
	keys      map[uint32][]string // of tables with REPLICA IDENTITY FULL

	tx    *Transaction // nil between transactions
	empty bool         // it has had no change
}

// open tells whether a transaction has begun and not ended.
func (d *decoder) open() bool { return d.tx != nil }

// message handles one message, with the time at which the server sent it. At the end of a transaction that has changed
// nothing of ours it returns the end's position.
func (d *decoder) message(data []byte, sent time.Time) (empty LSN, err error) {
	if len(data) == 0 {
		return 0, fmt.Errorf("decode the log: empty message")
	}
	// PostgreSQL 18 may send STREAM ABORT to those who have not asked for
	// streaming; nothing of what it aborts was sent.
	if data[0] == byte(pglogrepl.MessageTypeStreamAbort) {
		return 0, nil
	}
	message, err := pglogrepl.Parse(data)
	if err != nil {
		return 0, fmt.Errorf("decode the log: message %q: %w", data[0], err)
	}
	switch m := message.(type) {
	case *pglogrepl.BeginMessage:
		d.tx = &Transaction{XID: m.Xid, Commit: m.FinalLSN, Time: m.CommitTime}
		d.empty = true
	case *pglogrepl.CommitMessage:
		if d.tx == nil || d.tx.Commit != m.CommitLSN {
			return 0, fmt.Errorf("decode the log: commit at %s of a transaction that has not begun", m.CommitLSN)
		}
		d.tx = nil
		if d.empty {
			return m.TransactionEndLSN, nil
		}
		d.queue.commit(m.TransactionEndLSN, sent)
	case *pglogrepl.RelationMessage:
		d.relations[m.RelationID] = newRelation(m, d.keys[m.RelationID])
	case *pglogrepl.OriginMessage:
		if d.tx != nil {
			d.tx.Origin = m.Name
		}
	case *pglogrepl.LogicalDecodingMessage:
		if m.Transactional { // others come out of order
			return 0, d.add(Change{Kind: Message, Prefix: m.Prefix, Content: bytes.Clone(m.Content)})
		}
	case *pglogrepl.InsertMessage:
		return 0, d.insert(m)
	case *pglogrepl.UpdateMessage:
		return 0, d.update(m)
	case *pglogrepl.DeleteMessage:
		return 0, d.delete(m)
	case *pglogrepl.TruncateMessage:
		return 0, d.truncate(m)
	}
	return 0, nil // types
}

func (d *decoder) add(c Change) error {
	if d.tx == nil {
		return fmt.Errorf("decode the log: %s outside of a transaction", c.Kind)
	}
	c.Transaction = d.tx
	d.empty = false
	d.queue.add(c)
	return nil
}

func (d *decoder) insert(m *pglogrepl.InsertMessage) error {
	r, err := d.relation(m.RelationID)
	if err != nil {
		return err
	}
	key, err := r.key(m.Tuple, nil)
	if err != nil {
		return err
	}
	return d.add(Change{Kind: Insert, Relation: r, Key: key})
}

func (d *decoder) update(m *pglogrepl.UpdateMessage) error {
	r, err := d.relation(m.RelationID)
	if err != nil {
		return err
	}
	key, err := r.key(m.NewTuple, m.OldTuple)
	if err != nil {
		return err
	}
	c := Change{Kind: Update, Relation: r, Key: key}
	if m.OldTuple != nil {
		old, err := r.key(m.OldTuple, nil)
		if err != nil {
			return err
		}
		// It also comes with a key that is stored out of line, and under
		// REPLICA IDENTITY FULL, unchanged.
		if keyID(old) != keyID(key) {
			c.Old = old
		}
	}
	return d.add(c)
}

func (d *decoder) delete(m *pglogrepl.DeleteMessage) error {
	r, err := d.relation(m.RelationID)
	if err != nil {
		return err
	}
	key, err := r.key(m.OldTuple, nil)
	if err != nil {
		return err
	}
	return d.add(Change{Kind: Delete, Relation: r, Key: key})
}

func (d *decoder) truncate(m *pglogrepl.TruncateMessage) error {
	for _, id := range m.RelationIDs {
		r, err := d.relation(id)
		if err != nil {
			return err
		}
		if err := d.add(Change{Kind: Truncate, Relation: r}); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) relation(id uint32) (*Relation, error) {
	r, ok := d.relations[id]
	if !ok {
		return nil, fmt.Errorf("decode the log: relation %d was not described", id)
	}
	return r, nil
}
