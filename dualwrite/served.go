package dualwrite

import (
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// In phase live it is counted how the application's own statements fare on either
// side of the ramp: how many were rewritten on connections that read that side, and
// how many of them failed.

// sides calls visit for each transition in phase live with what the connection reads.
func (c *conn) sides(visit func(i int, source bool)) {
	for i := range c.world.view.Transitions {
		if c.world.view.Transitions[i].Phase == phase.Live {
			visit(i, c.reading.sources != "" && c.reading.sources[i] == readsSource)
		}
	}
}

func (c *conn) tally(i int) *tally { return c.server.tally(c.world.view.Transitions[i]) }

// served are statements, or errors, of one side.
func served(source bool, statements, errors int64) ledger.Reads {
	if source {
		return ledger.Reads{SourceStatements: statements, SourceErrors: errors}
	}
	return ledger.Reads{TargetStatements: statements, TargetErrors: errors}
}

// retire counts the statements of a connection that has been closed.
func (c *conn) retire() {
	c.sides(func(i int, source bool) {
		c.tally(i).count(func(r *ledger.Reads) { r.Add(served(source, int64(c.counts.rewritten.Load()), 0)) })
	})
}

// failed counts a statement that the server has rejected.
func (c *conn) failed(e *pgproto3.ErrorResponse, s *statement) {
	if s == nil || s.result.Outcome != rewrite.Rewritten || expected(e.Code) {
		return
	}
	c.sides(func(i int, source bool) {
		if names(s.send, c.tokens[i]) {
			c.tally(i).count(func(r *ledger.Reads) { r.Add(served(source, 0, 1)) })
		}
	})
}

// expected errors are those by which an application's statements fail on either side:
// a constraint, a conflict with others, an error that it raises itself, the end of
// the server.
func expected(code string) bool {
	if len(code) < 2 {
		return true
	}
	switch code[:2] {
	case "23", "25", "40", "P0":
		return true
	}
	return code == "55P03" || code[:3] == "57P"
}

// serving adds to the tallies of what is live now the statements of connections
// that are open.
func (s *server) serving() map[*tally]ledger.Reads {
	sums := map[*tally]ledger.Reads{}
	if w := s.current.Load(); w != nil {
		for _, t := range w.view.Transitions {
			if t.Phase == phase.Live {
				sums[s.tally(t)] = ledger.Reads{}
			}
		}
	}
	s.hook.mu.Lock()
	defer s.hook.mu.Unlock()
	for c := range s.hook.conns {
		if c.server != s {
			continue
		}
		c.sides(func(i int, source bool) {
			t := c.tally(i)
			sum := sums[t]
			sum.Add(served(source, int64(c.counts.rewritten.Load()), 0))
			sums[t] = sum
		})
	}
	return sums
}
