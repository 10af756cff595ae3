package dualwrite

import (
	"bytes"
	"encoding/json"

	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// What an unqualified name means depends on the session's search_path. A
// connection knows it from joining. When it sends something that can change
// it, the connection does not know it any more: whether and when the change
// takes effect cannot be seen from the text. The next statement that rests on
// search_path waits until the server has been asked; others do not.
//
// The end of a transaction, or of a part of it, can set search_path back.

// movePath is called when a text is executed that can change search_path.
func (c *conn) movePath() {
	if len(c.tokens) > 0 { // something is in transition
		c.texts, c.pathMoved, c.pathUnknown, c.pathInTx = c.reading.adrift, true, true, true
	}
}

// settle is called for a message that is sent after the end of a query or a
// pipeline in which a transaction may have ended.
func (c *conn) settle(kind byte) {
	if (kind == 'P' || kind == 'B' || kind == 'Q') && !c.pending.empty() {
		c.unsettled = false // until the end of this one
		c.movePath()
	}
}

// settled is called when the server has told the state of the transaction.
func (c *conn) settled(status byte) {
	if !c.pending.empty() {
		return // another query is on its way
	}
	switch status {
	case 'I':
		c.movePath()
		c.pathInTx, c.unsettled = false, false
	case 'T':
		c.unsettled = false
	}
}

// askPath tells whether the statement has to wait until the server has been
// asked for its search_path.
func (c *conn) askPath(s *statement, simple bool) bool {
	if !c.pathUnknown || s.result.Outcome != rewrite.Refused || c.pending.skipping {
		return false
	}
	c.ask(&question{simple: simple})
	return true
}

// pathQuery gives what view.SearchPath holds after joining.
const pathQuery = `select pg_catalog.array_to_json(pg_catalog.current_schemas(true))`

// knowPath takes note of the answer to pathQuery. Where that is of no use, the
// connection refuses what rests on search_path as long as it has its owner.
func (c *conn) knowPath(answer []byte) {
	c.pathUnknown = false
	if c.foreign && bytes.IndexFunc(answer, notASCII) >= 0 {
		c.mark("the search_path is not ASCII while client_encoding is not UTF8")
		return
	}
	var path []string
	if err := json.Unmarshal(answer, &path); err != nil {
		c.mark("read search_path: " + err.Error())
		return
	}
	texts, err := c.reading.under(path)
	if err != nil {
		c.mark(err.Error())
		return
	}
	c.texts = texts
}

// translate decides on a text. One that can change search_path may do so before
// it names a table.
func (c *conn) translate(text []byte) *statement {
	s := c.texts.translate(text)
	if r := c.unclear(text, c.pathMoved || s.result.MovesPath); r != nil {
		return &statement{
			original: string(text), send: refusalText(r), by: c.texts,
			result: rewrite.Result{Outcome: rewrite.Refused, Refusal: r},
		}
	}
	moves := s.result.MovesPath
	if c.pathInTx && !moves {
		_, moves = rewrite.EndsTransaction(string(text))
	}
	if moves && len(c.tokens) > 0 {
		return c.reading.adrift.translate(text)
	}
	return s
}
