package logical

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// State is what Run is doing.
type State string

// The states of a Tailer.
const (
	Stopped    State = ""
	Connecting State = "connecting"
	Streaming  State = "streaming"
	StandingBy State = "standby" // another process reads the slot
)

// Status is how far the tailer is, and what its slot costs.
type Status struct {
	State State
	At    time.Time // by the server's clock
	// Applied: everything that committed before is durable.
	Applied LSN
	// LagBytes is how much WAL the server has written since Applied. An idle
	// tailer stores its position once per megabyte, so less than that means
	// nothing.
	LagBytes int64
	// Lag is the age of the oldest commit that has been received and not
	// applied; zero when all is.
	Lag time.Duration
	// Waiting is how many changes wait in memory.
	Waiting int
	// Changes is how many have been applied since the stream began.
	Changes int64
	// VisibilityWait is how long Run has waited for transactions to become
	// visible, in all.
	VisibilityWait time.Duration
	Slot           SlotStatus
}

// Status returns the latest status, from memory.
func (t *Tailer) Status() Status {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.status
}

func (t *Tailer) note(change func(*Status)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.status)
}

// ReadSlot asks the server about the slot, whoever reads it.
func (t *Tailer) ReadSlot(ctx context.Context) (SlotStatus, error) {
	conn, err := t.connect(ctx)
	if err != nil {
		return SlotStatus{}, err
	}
	defer closeConn(ctx, conn)
	return t.readSlot(ctx, conn)
}

// watch reports the status, and ends the session when the slot has been given
// up or the publication has lost a table: the stream says nothing then.
func (s *session) watch(ctx context.Context, conn *pgx.Conn) error {
	for {
		slot, err := s.tailer.readSlot(ctx, conn)
		if err != nil {
			return err
		}
		if err := s.inspect(ctx, conn, slot, s.published); err != nil {
			return err
		}
		s.config.OnStatus(s.status(slot))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(s.interval):
		}
	}
}

func (s *session) status(slot SlotStatus) (status Status) {
	progress := s.queue.progress()
	s.tailer.note(func(current *Status) {
		current.State, current.At = Streaming, slot.now
		current.Applied = progress.stored
		current.LagBytes = max(0, int64(slot.server)-int64(progress.stored))
		current.Lag = 0
		if !progress.oldest.IsZero() {
			current.Lag = max(0, slot.now.Sub(progress.oldest))
		}
		current.Waiting, current.Changes = progress.waiting, progress.applied
		current.Slot = slot
		status = *current
	})
	return status
}
