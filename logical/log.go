package logical

// Keys of what is logged.
const (
	logSlot  = "slot"
	logError = "error"
	logPause = "pause"
	logXID   = "xid"
	logLSN   = "lsn"
)
