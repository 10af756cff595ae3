package dualwrite

// EventKind says what an Event is about.
type EventKind string

const (
	// Joined: a connection has joined; Epoch is what it joined under.
	Joined EventKind = "joined"
	// EpochChanged: the server's epoch is now known to be Epoch. It falls only
	// when a backup was restored or another server has taken over.
	EpochChanged EventKind = "epoch changed"
	// CatalogChanged: a table in transition was altered by somebody else, and
	// connections that know it as it was are recycled.
	CatalogChanged EventKind = "catalog changed"
	// Refused: SQL was refused; Err is a *Refusal. It is reported for each
	// refusal that the application gets as an error.
	Refused EventKind = "refused"
	// Reported: SQL that the hook cannot see into was sent as it is, as
	// Config.OpaqueText or OpaqueCalls has it; Err is a *Refusal that says what it
	// would have been refused for.
	Reported EventKind = "reported"
	// Stale: a statement failed because its connection's phase has ended, or a
	// table has lost a column since; Err is the error that the application gets.
	Stale EventKind = "stale"
	// Bypassed: statements were sent past the hook, and their connection ended.
	Bypassed EventKind = "bypassed"
	// Marked: the connection will be recycled, for the reason in Err.
	Marked EventKind = "marked"
	// Mismatched: a read was run both ways, as Config.Shadow has it, and the results
	// differ, as Err says.
	Mismatched EventKind = "mismatched"
	// ShadowFailed: a read could not be compared, for the reason in Err, which is about
	// the connection for it.
	ShadowFailed EventKind = "shadow failed"
	// ReportFailed: what was counted of reads, or refused, could not be written into the
	// ledger, for the reason in Err; it is tried again.
	ReportFailed EventKind = "report failed"
	// FollowFailed: Run's own connection failed for the reason in Err; it is
	// made again.
	FollowFailed EventKind = "follow failed"
	// Following: Run's own connection is listening.
	Following EventKind = "following"
)

// Event is something that happened to the hook or one of its connections.
type Event struct {
	Kind EventKind
	// Server is the address and the database.
	Server string
	// Epoch is the epoch of the connection, or of the server.
	Epoch int
	// PID is the server process of the connection; 0 where it is about none.
	PID uint32
	// SQL is the application's text, where it is about one. It can contain
	// values that the application has put into it.
	SQL string
	// Err is the reason, where there is one.
	Err error
}
