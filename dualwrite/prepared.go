package dualwrite

import "github.com/pgcrossfade/crossfade/internal/rewrite"

// prepared is a statement that the server knows by a name.
//
// PostgreSQL resolves the names in it again when search_path has changed. So its
// text must be looked at again, too; and where it would have become another one,
// the server gets that instead, under the same name, provided that the result
// has the columns that the application was told of.
type prepared struct {
	*statement
	// before had the name when the Parse of parsed was sent, and keeps it unless
	// the server accepts that (the name is free when before was not accepted
	// itself, or DEALLOCATE has removed it). Until the server has answered, the
	// statement is either of the two; then before is nil.
	before *prepared
	parsed *statement
	// described: params and columns are what the server told the application:
	// the body of ParameterDescription, and what matters of RowDescription.
	described bool
	// types are those that the Parse gave the parameters; kept where reads may be
	// compared.
	types           []byte
	params, columns string
}

// unseen stands for a prepared statement of which no Parse was seen: PREPARE
// made it, or its Close was discarded after an error.
var unseen = &statement{doubtful: true}

// prepared returns the text of a prepared statement; nil when it is of no
// interest.
func (c *conn) prepared(name []byte) *statement {
	if len(name) == 0 {
		return c.unnamed
	}
	if p := c.named[string(name)]; p != nil {
		return p.statement
	}
	return nil
}

// description is the request to describe a prepared statement.
func (c *conn) description(name []byte) request {
	if p := c.named[string(name)]; p != nil {
		return request{kind: describe, statement: p.statement, named: p}
	}
	return request{kind: 'D', statement: c.prepared(name)}
}

// prepare remembers the text of a prepared statement, nil to forget it. It
// returns what it remembers of one that has a name.
func (c *conn) prepare(name []byte, s *statement) *prepared {
	if len(c.tokens) == 0 && !s.special() {
		s = nil // nothing is in transition
	}
	switch {
	case c.pending.skipping: // the server discards it
	case len(name) == 0:
		c.unnamed = s
	case s == nil:
		delete(c.named, string(name))
	default:
		if c.named == nil {
			c.named = map[string]*prepared{}
		}
		p := &prepared{statement: s, parsed: s, before: c.named[string(name)]}
		if p.before != nil {
			p.statement = s.or(p.before.statement)
		}
		c.named[string(name)] = p
		return p
	}
	return nil
}

// answered takes note of what the server said to the Parse.
func (p *prepared) answered(accepted bool) {
	switch {
	case p == nil || p.before == nil:
	case accepted:
		p.statement, p.before = p.parsed, nil
	default:
		*p = *p.before
	}
}

// or is what is known of a statement that is either of the two.
func (s *statement) or(before *statement) *statement {
	if before.original == s.original {
		return s
	}
	either := &statement{original: s.original, result: s.result, send: s.send, doubtful: true}
	either.result.Resets = s.result.Resets || before.result.Resets
	either.result.MovesPath = s.result.MovesPath || before.result.MovesPath
	return either
}

// rebind returns what a prepared statement, s, is under the search_path of now,
// for it to be executed: s, another one of the same text, or a refusal. It may
// have to ask first.
func (c *conn) rebind(name []byte, s *statement) *statement {
	if s == nil && len(name) > 0 {
		s = unseen
	}
	if s == nil || s.by == c.texts || c.pending.skipping {
		return s
	}
	if refusal := c.unclear([]byte(s.original), true); refusal != nil {
		return c.unbindable(s, refusal)
	}
	if s.doubtful {
		return c.unbindable(s, nil)
	}
	now := c.texts.translate([]byte(s.original)).parsable()
	if now.send == s.send {
		c.keep(name, now)
		return now
	}
	if c.askPath(now, false) {
		return nil
	}
	if now.result.Outcome == rewrite.Refused {
		return c.unbindable(s, now.result.Refusal)
	}
	p := c.named[string(name)]
	if p == nil || !p.described {
		return c.unbindable(s, nil)
	}
	c.ask(&question{name: string(name), was: p, now: now})
	return nil
}

// keep takes note that the statement has the same text by now's translator.
func (c *conn) keep(name []byte, now *statement) {
	if p := c.named[string(name)]; p != nil {
		p.statement = now
	} else {
		c.unnamed = now
	}
}

// unbindable is a refusal to execute a prepared statement.
func (c *conn) unbindable(s *statement, r *rewrite.Refusal) *statement {
	if r == nil {
		r = &rewrite.Refusal{
			Message: "crossfade cannot execute this prepared statement: search_path has changed since it was prepared",
			Hint:    "Prepare it again, or qualify the names of its tables.",
			Offset:  -1,
		}
	}
	return &statement{
		original: s.original,
		result:   rewrite.Result{Outcome: rewrite.Refused, Refusal: r},
		send:     refusedName,
		by:       c.texts,
	}
}

// replaced takes note of what the server has under the name since it was asked
// to prepare the text of now.
func (c *conn) replaced(q *question) {
	p := *q.was
	switch {
	case q.failed:
		// Perhaps the one before, perhaps nothing: next time it is asked again.
		p.statement = &statement{original: q.was.original, result: q.was.result}
	case q.columns == p.columns:
		p.statement = q.now
	default:
		p.statement = c.unbindable(q.was.statement, &rewrite.Refusal{
			Message: "crossfade cannot execute this prepared statement: by the search_path of now, its result has other columns than when it was prepared",
			Hint:    "Prepare it again; pgx's statement cache does so the next time.",
			Offset:  -1,
		})
		p.by = q.now.by
	}
	c.named[q.name] = &p
}
