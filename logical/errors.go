package logical

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

var (
	// ErrRunning: Run was called while another Run of the same Tailer runs.
	ErrRunning = errors.New("logical: Run is running already")
	// ErrTakenOver: another process has claimed the slot's position. A
	// Positions returns it; Run goes on as a standby.
	ErrTakenOver = errors.New("logical: another process has taken over")

	errSilence = errors.New("the server has been silent for too long")
	errEnded   = errors.New("the server has ended the stream")
)

// Reason says why a slot is of no use any more.
type Reason string

// The reasons for a SlotLost.
const (
	// Missing: there was a slot, and now there is none, or its position is gone;
	// or Setup was never called.
	Missing Reason = "missing"
	// Invalidated: the server has given it up (max_slot_wal_keep_size,
	// idle_replication_slot_timeout, wal_level).
	Invalidated Reason = "invalidated"
	// Ahead: it has been moved past what was applied here: it was made anew, or
	// somebody else has read it.
	Ahead Reason = "ahead"
	// OtherServer: the database is another cluster's now.
	OtherServer Reason = "other server"
	// FailedOver: a standby has become the primary, and Config.Failover is not
	// set.
	FailedOver Reason = "failed over"
	// Unpublished: the publication is gone, or no longer has every table.
	Unpublished Reason = "unpublished"
	// Disconnected: a temporary slot went with its connection.
	Disconnected Reason = "disconnected"
)

// SlotLost means that changes may have been missed. Run ends with it and does
// not mend it: only the caller can look at every row again. The way back is
// Drop, Setup, then to verify everything, and Run beside that.
type SlotLost struct {
	Slot   string
	Reason Reason
	Detail string
}

// Error says what happened and what to do.
func (e *SlotLost) Error() string {
	return fmt.Sprintf("logical: slot %s is lost (%s): %s: changes may have been missed: "+
		"drop it, set it up again, and verify every row", e.Slot, e.Reason, e.Detail)
}

// AsSlotLost tells whether err, or what it wraps, is a lost slot.
func AsSlotLost(err error) (*SlotLost, bool) {
	var e *SlotLost
	ok := errors.As(err, &e)
	return e, ok
}

// SlotBlocked means that a slot could not be made in time, because it waits for
// the transactions that were open before. Nothing is left of it.
type SlotBlocked struct {
	Slot     string
	Waited   time.Duration
	Blockers []string // one line each, the oldest first
}

// Error names the blockers.
func (e *SlotBlocked) Error() string {
	blockers := "they have ended meanwhile"
	if len(e.Blockers) > 0 {
		blockers = strings.Join(e.Blockers, "; ")
	}
	return fmt.Sprintf("logical: make slot %s: gave up after %s: it waits for open transactions: %s: "+
		"let them end and try again, or raise Config.SlotTimeout", e.Slot, e.Waited, blockers)
}

// applyError is an error of Config.Apply.
type applyError struct{ err error }

func (e *applyError) Error() string { return "logical: apply: " + e.err.Error() }
func (e *applyError) Unwrap() error { return e.err }

// SQLSTATEs.
const (
	codeInUse         = "55006"
	codeNotAllowed    = "55000" // object_not_in_prerequisite_state: also an invalidated slot
	codeUndefined     = "42704"
	codeDuplicate     = "42710"
	codeCancelled     = "57014"
	codePrivilege     = "42501"
	codeTooMany       = "53300"
	codeSlotsUsed     = "53400"
	codeProtocol      = "08P01"
	codeNoFile        = "58P01"
	codeLockTimeout   = "55P03"
	codeAuthorization = "28000"
)

// sqlState returns err's SQLSTATE, or nothing.
func sqlState(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// transient tells whether the same batch may succeed a moment later.
func transient(code string) bool {
	switch code {
	case codeLockTimeout, codeInUse:
		return true
	}
	for _, class := range []string{"08", "40", "53", "57"} {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return false
}

// permanent tells whether Run must end with err. While a standby is being
// promoted, the address may lead to one that is not the primary yet.
func permanent(err error, streamed bool) bool {
	if _, ok := AsSlotLost(err); ok {
		return true
	}
	if r, ok := AsRefusal(err); ok {
		// An old connection of our own may still take up a place.
		return r.Code != NoWALSender && (r.Code != Standby || !streamed)
	}
	var blocked *SlotBlocked
	var apply *applyError
	if errors.As(err, &apply) {
		return !transient(sqlState(err))
	}
	return errors.As(err, &blocked)
}
