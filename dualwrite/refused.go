package dualwrite

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

const (
	// keepRefused bounds what waits to be reported, refusedLongest how much of a text
	// is looked at.
	keepRefused    = 100
	refusedLongest = 8 << 10
)

// refusals are the statements that were refused on a server and have not been
// reported yet.
type refusals struct {
	mu sync.Mutex // guards by
	by map[refusal]ledger.RefusedStatement
}

// refusal tells them apart.
type refusal struct {
	transition         int64
	statement, message string
}

// count takes in a refused statement, as often as its Count says. later: it is the
// last one so far. What finds no place is dropped; the counters have it.
func (r *refusals) count(one ledger.RefusedStatement, later bool) {
	key := refusal{one.Transition, one.Statement, one.Message}
	r.mu.Lock()
	defer r.mu.Unlock()
	before, known := r.by[key]
	switch {
	case !known && len(r.by) >= keepRefused:
		return
	case known && !later:
		one, before = before, one
	case r.by == nil:
		r.by = map[refusal]ledger.RefusedStatement{}
	}
	one.Count += before.Count
	r.by[key] = one
}

// any tells whether there is something to report.
func (r *refusals) any() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.by) > 0
}

// take returns what there is, and forgets it.
func (r *refusals) take() []ledger.RefusedStatement {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]ledger.RefusedStatement, 0, len(r.by))
	for _, one := range r.by {
		one.Fingerprint = fingerprint(one.Statement + "\x00" + one.Message)
		list = append(list, one)
	}
	clear(r.by)
	return list
}

// refused takes note of a statement that the application got a refusal for; s may
// be nil. Nothing of its constants or parameters is kept.
func (c *conn) refused(s *statement, r *rewrite.Refusal) {
	one := ledger.RefusedStatement{Message: r.Redacted(), Hint: r.Hint, Epoch: c.epoch, Application: c.application, Count: 1}
	var about []int64 // none: whatever is in transition
	if s != nil && !r.Illegible {
		text := s.original[:min(len(s.original), refusedLongest)]
		one.Statement = strings.ToValidUTF8(rewrite.Redact(text), "?")
		about = c.texts.rewriter.Concerned(text)
	}
	for _, t := range c.world.view.Transitions {
		if len(about) == 0 || slices.Contains(about, t.ID) {
			one.Transition, one.Phase = t.ID, string(t.Phase)
			c.server.refusals.count(one, true)
		}
	}
}

// reportRefused writes what was refused since the last time into the ledger that conn
// leads to.
func (s *server) reportRefused(ctx context.Context, conn *pgx.Conn) error {
	list := s.refusals.take()
	if len(list) == 0 {
		return nil
	}
	err := ledger.ReportRefused(ctx, conn, ledger.RefusedReport{Instance: s.hook.instance, Refused: list})
	if err != nil && !unstorable(err) {
		for _, one := range list {
			s.refusals.count(one, false)
		}
	}
	return err
}

// unstorable tells of a report whose text the database's encoding lacks: it would
// fail for ever.
func unstorable(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && strings.HasPrefix(e.Code, "22")
}
