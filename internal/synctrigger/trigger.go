// Package synctrigger builds the trigger that keeps both sides of a move for
// writers that do not embed the hook: one BEFORE INSERT OR UPDATE row trigger,
// and its function.
//
// The function goes by what a write has changed, not by who writes: where only
// the sources changed, the targets follow; where only the targets did, the
// sources follow; a write that leaves the row consistent (ddl.Consistent) is let
// alone, so a hooked write of both sides and a batch of the backfill are no-ops.
// It reads no table and no setting, and names everything in full, so it works
// for every role and under every search_path.
package synctrigger

import (
	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// Mode is what the trigger does about a write of one side.
type Mode string

const (
	// Sync lets the other side follow.
	Sync Mode = "sync"
	// Refuse raises an error.
	Refuse Mode = "refuse"
	// Count lets the write through, and notes who it was.
	Count Mode = "count"
)

// Valid tells whether the mode is one of those above.
func (m Mode) Valid() bool { return m == Sync || m == Refuse || m == Count }

// Trigger is the trigger of one transition.
type Trigger struct {
	// ID is the transition's; 0 before it is registered, in a plan.
	ID    int64
	Table ddl.Name
	Move  transform.Move
	Mode  Mode
	// SourceIsFree: writes leave the sources out from now on. Then Refuse and
	// Count look at writes of the sources alone. Sync is never told so: under it
	// the sources stay as they are until contract.
	SourceIsFree bool
}

// Prefix begins the names of these triggers. BEFORE ROW triggers fire in the
// order of their names, byte by byte: this one has to see what the others made.
const Prefix = "zzzz_crossfade_"

// Names matches the names of these triggers. They are about different columns,
// so their order among each other is of no interest.
const Names = "^" + Prefix + "t[0-9]+_sync$"

func (t Trigger) id() string {
	if t.ID == 0 {
		return "t<id>_sync"
	}
	return ledger.SyncFunction(t.ID)
}

// Name is the name of the trigger.
func (t Trigger) Name() string { return Prefix + t.id() }

// Function is the function, in the schema crossfade.
func (t Trigger) Function() ddl.Function {
	return ddl.Function{Schema: ledger.Schema, Name: t.id(), Body: t.body()}
}

// Install creates the trigger, for all sessions whatever their
// session_replication_role is. The function must exist.
func (t Trigger) Install() ddl.Statement {
	return ddl.CreateRowTrigger(t.Table, t.Name(), t.Function())
}

// Uninstall drops the trigger and its function, if they exist.
func (t Trigger) Uninstall() ddl.Statement {
	return ddl.DropRowTrigger(t.Table, t.Name(), t.Function())
}
