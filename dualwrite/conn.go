package dualwrite

import (
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"
	"weak"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgcrossfade/crossfade/internal/catalog"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// conn is the hook's state of one connection. It is made with the connection's
// frontend and armed once the connection has joined; until then everything
// passes: authentication, the join itself, and ValidateConnect.
//
// Like the connection, it is used by one goroutine at a time; what others may
// read is atomic or fixed when it is armed.
type conn struct {
	hook   *Hook
	source *source
	// raw is the network connection, by which pgconn.Construct is recognised.
	raw io.Writer
	// user and database are what the startup packet asked for.
	user, database string

	// Fixed when armed, but for application.
	armed  bool
	server *server
	world  *world
	epoch  int
	tokens []string
	pid    uint32
	// application is what the session calls itself; it may change.
	application string
	// standby: the server was one when the connection joined.
	standby bool
	pgConn  weak.Pointer[pgconn.PgConn]
	// share is this connection's place in the time that Config.RecycleWithin
	// gives: from 0 to 1.
	share float64
	// lot is its place in the ramps, of which those were in force when it joined;
	// reading is what follows for it.
	lot     float64
	ramps   *ramps
	reading *reading

	// texts translates what is sent. pathMoved: since the connection joined,
	// search_path may have been another one than it is now; pathUnknown: it is
	// not known what it is now.
	texts                  *translator
	pathMoved, pathUnknown bool
	// pathInTx: the end of a transaction may set search_path back; unsettled: one
	// may have ended since.
	pathInTx, unsettled bool
	// backslashes: standard_conforming_strings is off. foreign: client_encoding
	// is one that the rewriter cannot read.
	backslashes, foreign bool
	// unnamed and named are the prepared statements.
	unnamed *statement
	named   map[string]*prepared
	pending pending
	// asking is what the hook itself waits for; nil most of the time. What the
	// application sends is held by the writer meanwhile.
	asking *question
	writer *writer
	// span is the application's, of what it is doing.
	span annotation

	// sampling: reads may be compared; then the types are kept that a Parse gave the
	// parameters of the unnamed statement.
	sampling     bool
	unnamedTypes []byte

	// marked: not to be handed out again.
	marked atomic.Bool
	counts counts
}

// customData is the key of a connection's custom data with its state.
const customData = "crossfade"

func connOf(pc *pgconn.PgConn) *conn {
	c, _ := pc.CustomData()[customData].(*conn)
	return c
}

// arm makes the connection rewrite. It is idle then.
func (c *conn) arm(pc *pgconn.PgConn, s *server, w *world, texts *translator) {
	c.server, c.world, c.epoch, c.texts = s, w, w.epoch, texts
	for _, t := range w.view.Transitions {
		c.tokens = append(c.tokens, "crossfade."+t.Token)
	}
	c.pid = pc.PID()
	c.application = pc.ParameterStatus("application_name")
	c.pgConn = weak.Make(pc)
	c.share = rand.Float64()
	c.backslashes = pc.ParameterStatus("standard_conforming_strings") == "off"
	c.sampling = c.samples()
	c.armed = true
	pc.CustomData()[customData] = c
}

// closed tells whether the connection has ended, by whoever ended it.
func (c *conn) closed() bool {
	pc := c.pgConn.Value()
	if pc == nil {
		return true
	}
	select {
	case <-pc.CleanupDone():
		return true
	default:
		return false
	}
}

// outdated tells whether the connection has to make way for one that knows
// better, though perhaps not yet.
func (c *conn) outdated() bool {
	return c.marked.Load() || c.epoch < c.server.known() || c.world.superseded.Load() || c.world.doubted.Load() || c.misplaced()
}

// usable tells whether the connection may be handed out.
func (c *conn) usable() bool {
	switch {
	case !c.outdated():
		return true
	case c.marked.Load() || int64(c.epoch) <= c.server.ended.Load() || c.world.doubted.Load():
		return false
	}
	grace := time.Duration(c.share * float64(c.hook.config.RecycleWithin))
	return c.server.sinceChange() < grace
}

// mark keeps the connection from being handed out again.
func (c *conn) mark(reason string) {
	if !c.marked.Swap(true) {
		c.event(Event{Kind: Marked, Err: errors.New(reason)})
		c.hook.wake()
	}
}

func (c *conn) event(e Event) {
	e.Epoch, e.PID = c.epoch, c.pid
	c.server.event(e)
}

// execute takes note of a statement that is about to be executed; nil for one
// that went out as it came. Refusals are counted when their error comes.
func (c *conn) execute(s *statement) {
	switch {
	case s == nil || s.result.Outcome == rewrite.Passed:
		c.counts.passed.Add(1)
	case s.result.Outcome == rewrite.Rewritten:
		c.counts.rewritten.Add(1)
	}
	if c.span.span != nil {
		c.annotate(s)
	}
	if s == nil {
		return
	}
	if c.pathInTx {
		if ends, _ := rewrite.EndsTransaction(s.original); ends {
			c.movePath()
		}
	}
	c.report(s)
	if s.result.Resets {
		c.mark("the session's locks or prepared statements were reset")
	}
	if s.result.MovesPath {
		c.movePath()
	}
}

// report tells of what a policy lets pass.
func (c *conn) report(s *statement) {
	for _, r := range s.result.Reported {
		if c.world.news(r) {
			c.event(Event{Kind: Reported, SQL: s.original, Err: refusalOf(s.original, r)})
		}
	}
}

// restore turns an error of the server into the one that the application
// should see; nil when it is right as it is.
func (c *conn) restore(e *pgproto3.ErrorResponse, s *statement) *pgproto3.ErrorResponse {
	switch {
	case e.Code == codeNoTable && c.namesToken(e.Message):
		e := stale(e)
		c.counts.stale.Add(1)
		c.server.end(c.epoch)
		c.mark("its phase has ended")
		c.event(Event{Kind: Stale, Err: pgconn.ErrorResponseToPgError(e)})
		return e
	case e.Code == codeNoTable && strings.Contains(e.Message, "crossfade."+catalog.MissingToken):
		e := missing(e)
		c.counts.refused.Add(1)
		err := &Refusal{Message: e.Message, Hint: e.Hint}
		c.refused(s, &rewrite.Refusal{Message: e.Message, Hint: e.Hint})
		event := Event{Kind: Refused, Err: err}
		if s != nil {
			event.SQL = s.original
		}
		c.event(event)
		return e
	case e.Code == codeConflict && c.standby:
		c.mark("a conflict with the replay of the standby") // perhaps of the end of its phase
		return nil
	case s == nil:
		return nil
	case s.result.Outcome == rewrite.Refused:
		if e.Code != codeSyntaxError && e.Code != codeNoStatement {
			return nil // cancelled, terminated: not about the text
		}
		e := refused(s)
		c.counts.refused.Add(1)
		c.refused(s, s.result.Refusal)
		c.event(Event{Kind: Refused, SQL: s.original, Err: &Refusal{Message: e.Message, Hint: e.Hint, Position: int(e.Position)}})
		return e
	case e.Code == codeNoColumn && s.writes(int(e.Position)) && c.world.doubt():
		e := outrun(e)
		c.counts.stale.Add(1)
		c.mark("a table has lost a column")
		c.event(Event{Kind: Stale, SQL: s.original, Err: pgconn.ErrorResponseToPgError(e)})
		return e
	}
	c.failed(e, s)
	if s.result.Outcome == rewrite.Rewritten && e.Position > 0 {
		e.Position = int32(s.originalPosition(int(e.Position)))
		return e
	}
	return nil
}

// namesToken looks for the token, not for words around it: the server may
// speak any language.
func (c *conn) namesToken(message string) bool {
	for _, token := range c.tokens {
		if strings.Contains(message, token) {
			return true
		}
	}
	return false
}
