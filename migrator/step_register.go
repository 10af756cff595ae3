package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// registerStep is the first drain. Registering itself is Start's: without it
// there is nothing to keep a step in. No token fences a session that joined
// before the transition was known, or never joins: it sends bare SQL. So this
// drain waits for everybody, whatever the policy says.
var registerStep = step{
	name: "register", phase: Off,
	summary: "register the transition, and wait until every session knows it",
	do:      func(ctx context.Context, w *work) error { return w.drain(ctx) },
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		return []ddl.Statement{createToken(Off)}, nil
	},
}
