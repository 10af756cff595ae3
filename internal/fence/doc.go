// Package fence tells which sessions may still act by an older phase.
//
// Two devices work together. A token (made and dropped by package ledger) is a
// tiny table that every rewritten statement names: PostgreSQL locks it until
// the transaction ends, so dropping it is a barrier that cannot be passed. An
// epoch lock is a shared advisory lock that a hooked session takes when it
// joins and holds until it closes: pg_locks then shows who has joined under
// which epoch, so that a drain can wait without failing anybody.
//
// Safety rests on the tokens alone. Epoch locks make a drain gentle, and name
// those it waits for.
package fence

// The classes of two-key advisory locks that Crossfade takes. The class of the
// epoch lock carries the version of the hook's protocol.
const (
	// EpochClass: (EpochClass, epoch), shared, held by each hooked connection.
	EpochClass = 0x6366_0101
	// OwnClass: (OwnClass, 0), shared, held by Crossfade's own connections,
	// which send no statement of the application.
	OwnClass = 0x6366_0001
	// LeaderClass: (LeaderClass, 0), exclusive, held by the one migrator.
	LeaderClass = 0x6366_0002
	// FollowerClass: (FollowerClass, 0), exclusive, held by the one that follows
	// feature flags.
	FollowerClass = 0x6366_0005
	// GuardClass: (GuardClass, a transition's id), shared, held by those who take
	// its reads back to the source when they pass a limit.
	GuardClass = 0x6366_0006
	// HoldClass: (HoldClass, 0), exclusive, held by the migrator during a held
	// flip. A connection that waits before it joins asks for it, shared: so it
	// goes on as soon as the flip is over, or the migrator has died.
	HoldClass = 0x6366_0004
)
