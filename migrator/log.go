package migrator

// The keys of log records.
const (
	keyTransition = "transition"
	keyStep       = "step"
	keyPhase      = "phase"
	keyElapsed    = "elapsed"
	keyJob        = "job"
	keyRows       = "rows"
	keyFrom       = "from"
	keyTo         = "to"
	keyEpoch      = "epoch"
	keySession    = "session"
	keyGate       = "gate"
	keyReason     = "reason"
	keyError      = "error"
	keyFlag       = "flag"
	keyHeldBy     = "held_by"
	keyPercent    = "percent"
)
