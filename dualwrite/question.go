package dualwrite

import (
	"encoding/binary"

	"github.com/jackc/pgx/v5/pgproto3"
)

// question is what the hook asks the server between two messages of the
// application: for the search_path; or, when now is given, to prepare that text
// under the name of a statement, and for the columns of its result. There is one
// at a time, and the writer sends nothing until it has been answered.
//
// It is part of the application's conversation: its error is the error of the
// message that waits for it, as the server would have failed that one, too (the
// transaction has failed, the query was cancelled, the table does not exist).
type question struct {
	// simple: asked by a Query, as what waits is one.
	simple bool
	name   string
	was    *prepared
	now    *statement

	// What was answered.
	closed  int
	path    []byte
	columns string
	failed  bool
}

// ask makes the writer send the question, and hold what it has not sent yet.
func (c *conn) ask(q *question) {
	c.asking = q
	c.pending.push(asked, q.now)
}

// questionName leaves the application's unnamed statement and portal alone.
const questionName = "crossfade_question"

// append encodes the question.
func (q *question) append(b []byte) []byte {
	var messages []pgproto3.FrontendMessage
	switch {
	case q.now != nil:
		messages = []pgproto3.FrontendMessage{
			&pgproto3.Close{ObjectType: 'S', Name: q.name},
			&pgproto3.Parse{Name: q.name, Query: q.now.send, ParameterOIDs: parameterTypes(q.was.params)},
			&pgproto3.Describe{ObjectType: 'S', Name: q.name},
			&pgproto3.Flush{},
		}
	case q.simple:
		messages = []pgproto3.FrontendMessage{&pgproto3.Query{String: pathQuery}}
	default:
		messages = []pgproto3.FrontendMessage{
			&pgproto3.Close{ObjectType: 'S', Name: questionName}, // of one that failed half way
			&pgproto3.Parse{Name: questionName, Query: pathQuery},
			&pgproto3.Bind{DestinationPortal: questionName, PreparedStatement: questionName},
			&pgproto3.Execute{Portal: questionName},
			&pgproto3.Close{ObjectType: 'P', Name: questionName},
			&pgproto3.Close{ObjectType: 'S', Name: questionName},
			&pgproto3.Flush{},
		}
	}
	for _, m := range messages {
		encoded, err := m.Encode(b)
		if err != nil {
			continue // only a text of more than 1 GB, which has been a message before
		}
		b = encoded
	}
	return b
}

// answered takes note of a message of the answer, and tells whether it is the
// last one.
func (q *question) answered(kind byte, body []byte) bool {
	switch {
	case q.simple && kind == 'Z':
		return true
	case kind == '3':
		q.closed++
		return q.now == nil && q.closed == 3
	case q.now != nil && (kind == 'T' || kind == 'n'):
		q.columns = columnsOf(body)
		return true
	case q.now == nil && kind == 'D':
		const countAndLength = 6
		q.path = append([]byte(nil), body[min(len(body), countAndLength):]...)
	}
	return false
}

// conclude ends the question. A failed one that was simple has taken the place
// of the Query that waited for it.
func (c *conn) conclude() error {
	q := c.asking
	c.asking = nil
	switch {
	case q.now != nil:
		c.replaced(q)
	case !q.failed:
		c.knowPath(q.path)
	}
	return c.writer.resume(q.failed && q.simple)
}

// parameterTypes reads the body of a ParameterDescription.
func parameterTypes(params string) []uint32 {
	var d pgproto3.ParameterDescription
	if err := d.Decode([]byte(params)); err != nil {
		return nil
	}
	return d.ParameterOIDs
}

// columnsOf returns what matters of a RowDescription: names and types, as when
// PostgreSQL itself compares the results of a plan. Not which table they are of.
func columnsOf(body []byte) string {
	var d pgproto3.RowDescription
	if len(body) == 0 || d.Decode(body) != nil {
		return "" // NoData
	}
	var b []byte
	for _, f := range d.Fields {
		b = append(append(b, f.Name...), 0)
		b = binary.BigEndian.AppendUint32(b, f.DataTypeOID)
		b = binary.BigEndian.AppendUint32(b, uint32(f.TypeModifier))
	}
	return string(b)
}
