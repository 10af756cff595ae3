package lockstep

import (
	"context"
	"testing"

	"github.com/pgcrossfade/crossfade/internal/catalog"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// Fault makes a rewriter that is wrong on purpose. The zero value is right.
type Fault struct {
	// Definition changes what the rewriter believes of the transitions.
	Definition func(view *fence.View)
	// Ignore sends every text as it is.
	Ignore bool
	// Before changes the text that the rewriter sees, and After the one that it
	// gives.
	Before, After func(sql string) string
}

// Rewriting is a way to dial: it opens a plain connection and sends what a
// rewriter with that fault makes of each text.
func Rewriting(fault Fault) Dial {
	return func(t testing.TB, db *pgtest.DB) *Side {
		side := Plain(t, db)
		r := newRewriter(t, side, fault)
		side.Translate = func(sql string) (string, error) {
			if fault.Ignore {
				return sql, nil
			}
			if fault.Before != nil {
				sql = fault.Before(sql)
			}
			result := r.Rewrite(sql)
			if result.Outcome == rewrite.Refused {
				return "", result.Refusal
			}
			if fault.After != nil {
				result.SQL = fault.After(result.SQL)
			}
			return result.SQL, nil
		}
		side.Refusal = func(err error) (string, bool) {
			refusal, ok := err.(*rewrite.Refusal) //nolint:errorlint // Translate returns it as it is
			if !ok {
				return "", false
			}
			return refusal.Message, true
		}
		return side
	}
}

// explaining lets findings show what the hook of a side does. The rewriter needs a
// connection of its own to look around.
func explaining(t testing.TB, db *pgtest.DB, side *Side) {
	plain := Plain(t, db)
	r := newRewriter(t, plain, Fault{})
	_ = plain.Conn.Close(context.WithoutCancel(t.Context()))
	side.Explain = func(sql string) string {
		result := r.Rewrite(sql)
		if result.Outcome == rewrite.Refused {
			return "refused: " + result.Refusal.Message
		}
		return result.SQL
	}
}

// newRewriter makes a rewriter that knows what a hook on that connection would.
func newRewriter(t testing.TB, side *Side, fault Fault) *rewrite.Rewriter {
	ctx, conn := context.WithoutCancel(t.Context()), side.Conn.PgConn()
	view, err := fence.Join(ctx, conn)
	if err != nil {
		t.Fatalf("join: %v", err)
	}
	if fault.Definition != nil {
		fault.Definition(&view)
	}
	snapshot, err := catalog.Read(ctx, conn, view)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rewrite.New(snapshot.Catalog(view, rewrite.StarsSource))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
