package telemetry

import "go.opentelemetry.io/otel/attribute"

// The attributes of spans and metrics.
const (
	Transition = attribute.Key("crossfade.transition")
	PhaseKey   = attribute.Key("crossfade.phase")
	EpochKey   = attribute.Key("crossfade.epoch")
	Outcome    = attribute.Key("crossfade.outcome")
	Step       = attribute.Key("crossfade.step")
	Undo       = attribute.Key("crossfade.undo")
	From       = attribute.Key("crossfade.from")
	To         = attribute.Key("crossfade.to")
	Sessions   = attribute.Key("crossfade.sessions")
	Fenced     = attribute.Key("crossfade.fenced")
	Lock       = attribute.Key("crossfade.lock")
	Attempts   = attribute.Key("crossfade.attempts")
	Job        = attribute.Key("crossfade.job")
	Scanned    = attribute.Key("crossfade.rows.scanned")
	Changed    = attribute.Key("crossfade.rows.changed")
	Differing  = attribute.Key("crossfade.rows.differing")
	HeldBy     = attribute.Key("crossfade.held_by")
	Signal     = attribute.Key("crossfade.signal")
	Side       = attribute.Key("crossfade.side")
	Reason     = attribute.Key("crossfade.reason")
)

// Attribute is one of them for the documentation.
type Attribute struct {
	Key         attribute.Key
	Description string
}

// Attributes are all of them.
func Attributes() []Attribute {
	return []Attribute{
		{Transition, "Name of the transition; of a query that touches several, all of them, with commas between."},
		{PhaseKey, "Phase of the transition; of several, in the same order."},
		{EpochKey, "Epoch that the connection has joined under, or that is in force."},
		{Outcome, "What the hook did with a statement: `passed`, `rewritten` or `refused`. Of a batch, the last of these that occurs."},
		{Step, "Step of the transition."},
		{Undo, "The step is undone."},
		{From, "Phase that a drain ends; empty for the first drain."},
		{To, "Phase that a drain leads to; empty for a removal. Of a request, the phase that was asked for."},
		{Sessions, "Sessions and prepared transactions that a drain waits for, or that stand in the way of a statement."},
		{Fenced, "Idle sessions of the old phase that a drain did not wait for."},
		{Lock, "Lock that a statement takes on the table."},
		{Attempts, "How often a statement was tried before it got its lock."},
		{Job, "Scan of the table: `backfill`, `refill`, `verify`, `watch`."},
		{Scanned, "Rows that a scan has looked at."},
		{Changed, "Rows that a scan has changed."},
		{Differing, "Rows in which source and target differ."},
		{HeldBy, "What a flag's request waits for: a gate, `drain`, `settling` ...; empty when it is granted or on its way."},
		{Signal, "Signal of the throttle; of several that hold, with commas between."},
		{Side, "Side of the transition that is read: `source` or `target`."},
		{Reason, "Why a read was not compared: `order`, `volatile`, `session` ..."},
	}
}
