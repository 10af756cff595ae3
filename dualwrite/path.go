package dualwrite

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// What an unqualified name means depends on the session's search_path. A
// connection knows it from joining. When it sends something that can change
// it, the connection does not know it any more, and what rests on it is
// refused: whether and when the change takes effect cannot be seen from the
// text. Where a callback of the application may have done it, the session is
// asked.
//
// PostgreSQL resolves the names of a prepared statement again when
// search_path has changed, so such a statement is looked at again, too.

// movePath is called when a text is executed that can change search_path.
func (c *conn) movePath() {
	if len(c.tokens) > 0 { // something is in transition
		c.texts, c.pathMoved, c.pathUnknown = c.world.adrift, true, true
	}
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
	if s.result.MovesPath && len(c.tokens) > 0 {
		return c.world.adrift.translate(text)
	}
	return s
}

// followPath makes the connection know its search_path again. False means that
// it has prepared statements that would mean something else now.
func (c *conn) followPath(ctx context.Context, pc *pgconn.PgConn) (bool, error) {
	if !c.pathUnknown {
		return true, nil
	}
	result := pc.ExecParams(ctx, `select array_to_json(pg_catalog.current_schemas(true))`, nil, nil, nil, nil).Read()
	if result.Err != nil {
		return false, fmt.Errorf("read search_path: %w", result.Err)
	}
	var path []string
	if err := json.Unmarshal(result.Rows[0][0], &path); err != nil {
		return false, fmt.Errorf("read search_path: %w", err)
	}
	texts, err := c.world.under(path)
	if err != nil {
		return false, err
	}
	c.texts, c.pathUnknown = texts, false
	for _, s := range c.named {
		if c.reconsider(s).result.Outcome == rewrite.Refused {
			return false, nil
		}
	}
	return true, nil
}

// reconsider returns what a prepared statement is under the search_path of now:
// the same, or a refusal to execute it.
func (c *conn) reconsider(s *statement) *statement {
	if s.by == c.texts {
		return s
	}
	refusal := c.unclear([]byte(s.original), true)
	if refusal == nil && !s.doubtful {
		now := c.texts.translate([]byte(s.original))
		if now.send == s.send {
			return now
		}
		refusal = now.result.Refusal
	}
	if refusal == nil {
		refusal = &rewrite.Refusal{
			Message: "crossfade cannot execute this prepared statement: search_path has changed since it was prepared",
			Hint:    "Prepare it again, or qualify the names of its tables.",
			Offset:  -1,
		}
	}
	return &statement{
		original: s.original,
		result:   rewrite.Result{Outcome: rewrite.Refused, Refusal: refusal},
		send:     refusedName,
		by:       c.texts,
	}
}
